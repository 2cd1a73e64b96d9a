/**
 * What is doubtful about a configuration that is built all the same: warnings, each with its remedy. Imports {@code
 * forward} and what is below it.
 */
package io.lb4j.lint;
