/** How a wrong setting is refused. Imports nothing else of lb4j. */
package io.lb4j.settings;
