/** The configuration file: YAML with the place of every setting, turned into declarations of the library. */
package io.lb4j.examples.config;
