/** The demonstration: a network of namespaces, real servers and clients, and a balancer between them. */
package io.lb4j.examples.demo;
