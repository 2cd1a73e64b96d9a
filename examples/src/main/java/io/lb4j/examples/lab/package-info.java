/**
 * A network on one Linux machine, made of namespaces: client, router, switch, balancer and real servers, with the
 * servers and clients to run in them. The demonstration and the tests on real traffic share it.
 */
package io.lb4j.examples.lab;
