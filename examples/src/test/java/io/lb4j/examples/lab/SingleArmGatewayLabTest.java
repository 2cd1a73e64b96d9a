package io.lb4j.examples.lab;

import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.CsvSource;

/** The gateway on one arm. */
@ParameterizedClass
@CsvSource({"GATEWAY_SINGLE, 1", "GATEWAY_SINGLE, 2"})
final class SingleArmGatewayLabTest extends GatewayLab {}
