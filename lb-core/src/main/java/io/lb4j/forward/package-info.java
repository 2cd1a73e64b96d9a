/**
 * What a forwarding method does to a frame: the service-provider interface that lb-dsr and lb-gateway implement.
 * Imports {@code service}, {@code neighbor}, {@code topology}, {@code flow}, {@code frame} and below.
 */
package io.lb4j.forward;
