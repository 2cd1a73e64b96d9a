package io.lb4j.examples.lab;

import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.CsvSource;

/** The gateway on two arms. */
@ParameterizedClass
@CsvSource({"GATEWAY_DUAL, 1", "GATEWAY_DUAL, 2"})
final class DualArmGatewayLabTest extends GatewayLab {}
