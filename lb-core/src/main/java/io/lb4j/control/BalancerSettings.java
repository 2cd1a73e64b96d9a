package io.lb4j.control;

import io.lb4j.forward.TranslatorProvider;
import io.lb4j.service.EchoPolicy;
import io.lb4j.service.Role;
import io.lb4j.service.UnservedPolicy;
import java.util.Optional;

/**
 * What was set for the balancer as a whole, not for a service. Immutable.
 *
 * @param unserved what becomes of frames to virtual addresses that no service wants
 * @param echo what becomes of echo requests to virtual addresses
 * @param firstRole active or passive at first
 * @param outbound rules for traffic that servers start
 * @param flowCapacity flows or sessions of each worker
 * @param workers how many threads share the frames
 * @param schedulerSeed equal on instances that are to agree
 * @param steeringSeed secret, equal for all workers
 */
public record BalancerSettings(
    UnservedPolicy unserved,
    EchoPolicy echo,
    Role firstRole,
    Optional<TranslatorProvider> outbound,
    int flowCapacity,
    int workers,
    long schedulerSeed,
    long steeringSeed) {}
