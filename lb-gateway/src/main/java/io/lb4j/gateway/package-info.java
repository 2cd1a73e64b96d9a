/** The NAT gateway: requests and replies both pass here and are translated. */
package io.lb4j.gateway;
