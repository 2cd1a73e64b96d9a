/**
 * What an operator declares: virtual services over real servers, with their policies. Immutable declarations built by
 * fluent builders that refuse a wrong value at once. Imports {@code schedule}, {@code persistence}, {@code flow}
 * settings and below.
 */
package io.lb4j.service;
