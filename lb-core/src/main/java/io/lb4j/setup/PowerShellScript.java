package io.lb4j.setup;

import io.lb4j.address.IpAddress;
import java.util.List;
import java.util.stream.Collectors;

/** The PowerShell scripts, for Windows Server 2012 R2 and later; the cmdlets are those of NetTCPIP. Immutable. */
final class PowerShellScript {
  private static final String HEAD =
      """
      # Windows keeps what this does over a restart. Running it again changes nothing. The script of --undo restores what
      # the first run found, from the file $env:LB4J_STATE, or else lb4j\\setup.json in ProgramData.
      #Requires -RunAsAdministrator
      Set-StrictMode -Version 2.0
      $ErrorActionPreference = 'Stop'

      $StatePath = if ($env:LB4J_STATE) { $env:LB4J_STATE } else { Join-Path $env:ProgramData 'lb4j\\setup.json' }
      """;

  private static final String STATE =
      """

      if (Test-Path -LiteralPath $StatePath) {
        $State = Get-Content -LiteralPath $StatePath -Raw | ConvertFrom-Json
      } else {
        New-Item -ItemType Directory -Force -Path (Split-Path -Parent $StatePath) | Out-Null
        $State = [pscustomobject]@{
          Machine = @(); Interfaces = @(); Addresses = @(); Routes = @(); Registrations = @(); Redirects = @()
        }
      }

      function Save-State {
        ConvertTo-Json -InputObject $State -Depth 4 | Set-Content -LiteralPath $StatePath -Encoding UTF8
      }

      # Remembers the settings of an interface, once, and changes them.
      function Set-Interface($Alias, $Family, $Settings) {
        $now = Get-NetIPInterface -InterfaceAlias $Alias -AddressFamily $Family
        if (-not @($State.Interfaces | Where-Object { $_.Alias -eq $Alias -and $_.Family -eq $Family })) {
          $State.Interfaces = @($State.Interfaces) + [pscustomobject]@{
            Alias = $Alias
            Family = $Family
            WeakHostReceive = "$($now.WeakHostReceive)"
            WeakHostSend = "$($now.WeakHostSend)"
            AutomaticMetric = "$($now.AutomaticMetric)"
            InterfaceMetric = $now.InterfaceMetric
            DadTransmits = $now.DadTransmits
          }
          Save-State
        }
        Set-NetIPInterface -InterfaceAlias $Alias -AddressFamily $Family @Settings
      }

      """;

  private static final String SAME_MACHINE =
      """
      if (@($State.Machine) -and -not @($State.Machine | Where-Object { $Machine -contains $_ })) {
        throw "This machine is set up as the server $($State.Machine -join ', '): take that back first"
      }
      $State.Machine = $Machine
      """;

  private static final String FIND_LOOPBACK =
      """
      $Loopback = Get-NetAdapter | Where-Object {
        $_.InterfaceDescription -like 'Microsoft KM-TEST Loopback Adapter*' -or
        $_.InterfaceDescription -like 'Microsoft Loopback Adapter*'
      } | Select-Object -First 1 -ExpandProperty Name
      if (-not $Loopback) {
        throw ('There is no loopback adapter. Run hdwwiz.exe, choose to install hardware by hand from a list, then ' +
          'Network adapters, Microsoft, Microsoft KM-TEST Loopback Adapter; then run this again.')
      }

      """;

  private static final String ADD_ADDRESS =
      """
      # The whole mask, /32 or /128: with a subnet's mask Windows would take the subnet to be behind the loopback adapter.
      function Add-VirtualAddress($Address, $Length) {
        foreach ($there in @(Get-NetIPAddress -IPAddress $Address -ErrorAction SilentlyContinue)) {
          if ($there.InterfaceAlias -ne $Loopback) { throw "$Address is on $($there.InterfaceAlias): remove it there" }
          if ($there.PrefixLength -eq $Length) { return }
          throw "$Address has the prefix length $($there.PrefixLength), not ${Length}: remove it"
        }
        $State.Addresses = @($State.Addresses) + $Address
        Save-State
        # SkipAsSource: connections that this machine starts do not come from it.
        New-NetIPAddress -InterfaceAlias $Loopback -IPAddress $Address -PrefixLength $Length -SkipAsSource $true | Out-Null
      }

      """;

  private static final String WEAK_HOST =
      """
      # Windows takes packets only for addresses of the interface that they come in by, and sends from no others. Both
      # rules are relaxed on the loopback adapter, and on the interface towards the balancer.
      # The metric of 254 makes routes of the adapter the last choice. It does not silence ARP, as is often said: ARP for
      # the address is not answered because the address is on an adapter that is connected to nothing.
      """;

  private static final String REGISTRATION =
      """
      # The virtual address is not this machine's name.
      $now = (Get-DnsClient -InterfaceAlias $Loopback).RegisterThisConnectionsAddress
      if (-not @($State.Registrations)) {
        $State.Registrations = @([pscustomobject]@{ Alias = $Loopback; Register = [bool]$now })
        Save-State
      }
      Set-DnsClient -InterfaceAlias $Loopback -RegisterThisConnectionsAddress $false

      """;

  private static final String ROUTE =
      """
      # The balancer has to see the answers. Two halves of all addresses win over every default route, whatever its
      # metric and whoever sets it, so the default gateway in the interface's settings stays as it is.
      function Add-Route($Alias, $Destination, $Gateway) {
        $there = @(Get-NetRoute -InterfaceAlias $Alias -DestinationPrefix $Destination -ErrorAction SilentlyContinue |
          Where-Object { $_.NextHop -eq $Gateway })
        if ($there) { return }
        $State.Routes = @($State.Routes) +
          [pscustomobject]@{ Alias = $Alias; Destination = $Destination; Gateway = $Gateway }
        Save-State
        New-NetRoute -InterfaceAlias $Alias -DestinationPrefix $Destination -NextHop $Gateway | Out-Null
      }

      # Nobody may tell this machine of a shorter way to clients: answers that go past the balancer are lost.
      if (-not @($State.Redirects)) {
        $State.Redirects = @([pscustomobject]@{
          IPv4 = "$((Get-NetIPv4Protocol).IcmpRedirects)"
          IPv6 = "$((Get-NetIPv6Protocol).IcmpRedirects)"
        })
        Save-State
      }
      """;

  private static final String FINISH =
      """
      # What an earlier run made and nobody wants now goes.
      foreach ($route in @($State.Routes | Where-Object { $Gateways -notcontains $_.Gateway })) {
        Remove-Route $route
      }
      foreach ($address in @($State.Addresses | Where-Object { $VirtualAddresses -notcontains $_ })) {
        Get-NetIPAddress -IPAddress $address -ErrorAction SilentlyContinue | Remove-NetIPAddress -Confirm:$false
      }
      $State.Routes = @($State.Routes | Where-Object { $Gateways -contains $_.Gateway })
      $State.Addresses = @($State.Addresses | Where-Object { $VirtualAddresses -contains $_ })
      Save-State
      """;

  private static final String REMOVE_ROUTE =
      """

      function Remove-Route($Route) {
        Get-NetRoute -InterfaceAlias $Route.Alias -DestinationPrefix $Route.Destination -ErrorAction SilentlyContinue |
          Where-Object { $_.NextHop -eq $Route.Gateway } | Remove-NetRoute -Confirm:$false
      }
      """;

  private static final String UNDO =
      """
      if (-not (Test-Path -LiteralPath $StatePath)) {
        Write-Output "lb setup: nothing to take back: there is no $StatePath"
        return
      }
      $State = Get-Content -LiteralPath $StatePath -Raw | ConvertFrom-Json

      foreach ($route in @($State.Routes)) { Remove-Route $route }
      foreach ($address in @($State.Addresses)) {
        Get-NetIPAddress -IPAddress $address -ErrorAction SilentlyContinue | Remove-NetIPAddress -Confirm:$false
      }
      foreach ($interface in @($State.Interfaces)) {
        # An adapter that is gone has nothing to restore, and must not keep the others from it.
        if (-not (Get-NetIPInterface -InterfaceAlias $interface.Alias -AddressFamily $interface.Family `
            -ErrorAction SilentlyContinue)) { continue }
        $settings = @{
          WeakHostReceive = $interface.WeakHostReceive
          WeakHostSend = $interface.WeakHostSend
          DadTransmits = $interface.DadTransmits
        }
        # Windows ignores the one when it is given both.
        if ($interface.AutomaticMetric -eq 'Enabled') {
          $settings.AutomaticMetric = 'Enabled'
        } else {
          $settings.InterfaceMetric = $interface.InterfaceMetric
        }
        Set-NetIPInterface -InterfaceAlias $interface.Alias -AddressFamily $interface.Family @settings
      }
      foreach ($registration in @($State.Registrations)) {
        Set-DnsClient -InterfaceAlias $registration.Alias -RegisterThisConnectionsAddress $registration.Register `
          -ErrorAction SilentlyContinue
      }
      foreach ($redirects in @($State.Redirects)) {
        Set-NetIPv4Protocol -IcmpRedirects $redirects.IPv4
        Set-NetIPv6Protocol -IcmpRedirects $redirects.IPv6
      }
      Remove-Item -LiteralPath $StatePath
      Write-Output 'lb setup: taken back'
      """;

  private final ServerNeeds needs;
  private final SetupTarget target;

  PowerShellScript(ServerNeeds needs, SetupTarget target) {
    this.needs = needs;
    this.target = target;
  }

  String apply() {
    StringBuilder text = new StringBuilder(head("Sets up")).append(STATE).append(REMOVE_ROUTE).append('\n');
    if (needs.isNothing()) {
      return text.append("Write-Output 'lb setup: nothing to do'\n").toString();
    }
    machine(text);
    if (!needs.virtualAddresses().isEmpty()) {
      hold(text);
    }
    if (!needs.gateways().isEmpty()) {
      route(text);
    }
    return text.append(FINISH).append("\nWrite-Output \"lb setup: done; what was there before is in $StatePath\"\n").toString();
  }

  String undo() {
    return head("Takes back what sets up") + REMOVE_ROUTE + '\n' + UNDO;
  }

  private String head(String verb) {
    String addresses = needs.addresses().stream().map(IpAddress::toString).collect(Collectors.joining(", "));
    return "# " + verb + " the real server " + needs.server() + " (" + addresses + "): " + needs.method() + ".\n" + HEAD;
  }

  private void machine(StringBuilder text) {
    text.append("$Machine = ").append(list(needs.addresses()))
        .append("\n$VirtualAddresses = ").append(list(needs.virtualAddresses()))
        .append("\n$Gateways = ").append(list(needs.gateways())).append('\n').append(SAME_MACHINE);
    for (IpAddress address : needs.addresses()) {
      text.append("if (-not (Get-NetIPAddress -IPAddress '").append(address)
          .append("' -ErrorAction SilentlyContinue)) {\n  throw 'No interface has ").append(address)
          .append(": is this the right machine?'\n}\n");
    }
    text.append('\n');
  }

  private static String list(List<IpAddress> addresses) {
    return addresses.stream().map(address -> "'" + address + "'").collect(Collectors.joining(", ", "@(", ")"));
  }

  /** The aliases of the interfaces that have the server's addresses of one family. */
  private String interfaces(boolean v6) {
    return target.interfaceName().map(name -> "@(" + Names.powerShell(name) + ")")
        .orElseGet(() -> "@(Get-NetIPAddress -IPAddress " + needs.addresses(v6).stream()
            .map(address -> "'" + address + "'").collect(Collectors.joining(", "))
            + " | Select-Object -ExpandProperty InterfaceAlias -Unique)");
  }

  private void hold(StringBuilder text) {
    text.append(FIND_LOOPBACK).append(WEAK_HOST);
    for (boolean v6 : List.of(false, true)) {
      if (needs.virtualAddresses(v6).isEmpty()) {
        continue;
      }
      String family = v6 ? "IPv6" : "IPv4";
      text.append("Set-Interface $Loopback '").append(family).append("' @{ WeakHostReceive = 'Enabled'; WeakHostSend = ")
          .append("'Enabled'; InterfaceMetric = 254; DadTransmits = 0 }\n");
      if (!needs.addresses(v6).isEmpty()) {
        text.append("foreach ($alias in ").append(interfaces(v6)).append(") {\n  Set-Interface $alias '").append(family)
            .append("' @{ WeakHostReceive = 'Enabled'; WeakHostSend = 'Enabled' }\n}\n");
      }
    }
    text.append('\n').append(REGISTRATION).append(ADD_ADDRESS);
    for (IpAddress address : needs.virtualAddresses()) {
      text.append("Add-VirtualAddress '").append(address).append("' ").append(address.isV6() ? 128 : 32).append('\n');
    }
    text.append("# In the firewall, allow the service's port for this address: the adapter counts as a public network.\n\n");
  }

  private void route(StringBuilder text) {
    text.append(ROUTE);
    for (IpAddress gateway : needs.gateways()) {
      text.append(gateway.isV6() ? "Set-NetIPv6Protocol" : "Set-NetIPv4Protocol").append(" -IcmpRedirects Disabled\n");
    }
    text.append('\n');
    for (IpAddress gateway : needs.gateways()) {
      text.append("$alias = ").append(interfaces(gateway.isV6())).append("[0]\n");
      for (String half : gateway.isV6() ? List.of("::/1", "8000::/1") : List.of("0.0.0.0/1", "128.0.0.0/1")) {
        text.append("Add-Route $alias '").append(half).append("' '").append(gateway).append("'\n");
      }
    }
    text.append('\n');
  }
}
