/** How a wrong setting is refused, and a doubtful one told: the linter's table. Imports nothing else of lb4j. */
package io.lb4j.settings;
