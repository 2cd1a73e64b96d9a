package io.lb4j.setup;

import io.lb4j.address.IpAddress;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The batch files, in the words of the appliance's manual where those are right. A batch file remembers nothing, so the
 * one that takes back sets Windows' defaults. Immutable.
 */
final class NetshScript {
  private final ServerNeeds needs;
  private final String device;

  NetshScript(ServerNeeds needs, SetupTarget target) {
    this.needs = needs;
    this.device = "\"" + target.interfaceName().orElseThrow() + "\"";
  }

  String apply() {
    StringBuilder text = new StringBuilder(head("Sets up"));
    text.append("rem Windows keeps what this does over a restart. Running it again changes nothing: of what is there already\n"
        + "rem netsh says that the object exists. What another configuration asked for stays: take that back first.\n");
    if (needs.isNothing()) {
      return text.append("echo lb setup: nothing to do\n").toString();
    }
    if (!needs.virtualAddresses().isEmpty()) {
      hold(text);
    }
    if (!needs.gateways().isEmpty()) {
      route(text);
    }
    return text.toString();
  }

  String undo() {
    StringBuilder text = new StringBuilder(head("Takes back what sets up"));
    text.append("rem A batch file does not know what was there before: these are Windows' defaults. The PowerShell script"
        + " knows.\n");
    if (!needs.virtualAddresses().isEmpty()) {
      release(text);
    }
    if (!needs.gateways().isEmpty()) {
      unroute(text);
    }
    return text.toString();
  }

  private String head(String verb) {
    String addresses = needs.addresses().stream().map(IpAddress::toString).collect(Collectors.joining(", "));
    String name = needs.server().replaceAll("[^\\p{IsAlphabetic}\\p{IsDigit} ._-]", "?");
    return "@echo off\nrem " + verb + " the real server " + name + " (" + addresses + "): " + needs.method() + ".\n"
        + "rem Run it as administrator.\n"
        + (needs.virtualAddresses().isEmpty() ? ""
            : "rem The loopback adapter is the Microsoft KM-TEST Loopback Adapter (hdwwiz.exe), renamed to lb4j.\n"
                + "set LOOPBACK=lb4j\n");
  }

  private static String family(boolean v6) {
    return v6 ? "ipv6" : "ipv4";
  }

  private void hold(StringBuilder text) {
    text.append("rem The word is enabled; netsh refuses enable. Each line is needed for each interface.\n"
        + "rem The metric of 254 makes routes of the adapter the last choice. It does not silence ARP, as is often said.\n");
    for (boolean v6 : List.of(false, true)) {
      if (!needs.virtualAddresses(v6).isEmpty()) {
        weakHost(text, v6, "enabled");
        set(text, v6, "\"%LOOPBACK%\"", "metric=254");
        set(text, v6, "\"%LOOPBACK%\"", "dadtransmits=0");
      }
    }
    text.append("rem The whole mask: with a subnet's, Windows would take the subnet to be behind the adapter.\n");
    for (IpAddress address : needs.virtualAddresses()) {
      text.append("netsh interface ").append(family(address.isV6())).append(" add address \"%LOOPBACK%\" ")
          .append(address).append(address.isV6() ? "/128" : " 255.255.255.255").append(" skipassource=true\n");
    }
    text.append("rem The virtual address is not this machine's name.\n")
        .append("netsh interface ipv4 set dnsservers name=\"%LOOPBACK%\" source=static address=none register=none\n")
        .append("rem In the firewall, allow the service's port for this address: the adapter counts as a public network.\n");
  }

  private void weakHost(StringBuilder text, boolean v6, String value) {
    set(text, v6, device, "weakhostreceive=" + value);
    set(text, v6, device, "weakhostsend=" + value);
    set(text, v6, "\"%LOOPBACK%\"", "weakhostreceive=" + value);
    set(text, v6, "\"%LOOPBACK%\"", "weakhostsend=" + value);
  }

  private static void set(StringBuilder text, boolean v6, String name, String setting) {
    text.append("netsh interface ").append(family(v6)).append(" set interface ").append(name).append(' ').append(setting)
        .append('\n');
  }

  private void release(StringBuilder text) {
    for (IpAddress address : needs.virtualAddresses()) {
      text.append("netsh interface ").append(family(address.isV6())).append(" delete address \"%LOOPBACK%\" ")
          .append(address).append('\n');
    }
    for (boolean v6 : List.of(false, true)) {
      if (!needs.virtualAddresses(v6).isEmpty()) {
        weakHost(text, v6, "disabled");
      }
    }
    text.append("rem Metric and registration of the adapter stay; without an address they mean nothing.\n");
  }

  private void route(StringBuilder text) {
    text.append("rem Two halves of all addresses win over every default route, so the default gateway in the interface's"
        + " settings stays.\n");
    routes(text, "add", " store=persistent");
    text.append("rem Nobody may tell this machine of a shorter way to clients.\n");
    needs.gateways().forEach(gateway -> text.append("netsh interface ").append(family(gateway.isV6()))
        .append(" set global icmpredirects=disabled\n"));
  }

  private void unroute(StringBuilder text) {
    routes(text, "delete", " store=persistent");
    needs.gateways().forEach(gateway -> text.append("netsh interface ").append(family(gateway.isV6()))
        .append(" set global icmpredirects=enabled\n"));
  }

  private void routes(StringBuilder text, String verb, String more) {
    for (IpAddress gateway : needs.gateways()) {
      for (String half : gateway.isV6() ? List.of("::/1", "8000::/1") : List.of("0.0.0.0/1", "128.0.0.0/1")) {
        text.append("netsh interface ").append(family(gateway.isV6())).append(' ').append(verb).append(" route ")
            .append(half).append(' ').append(device).append(' ').append(gateway).append(more).append('\n');
      }
    }
  }
}
