package io.lb4j.gateway;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A test with parameters {@code v6, tcp} that runs for both families with UDP and TCP. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
@ParameterizedTest(name = "IPv6 {0}, TCP {1}")
@CsvSource({"false,false", "false,true", "true,false", "true,true"})
@interface EveryTransport {}
