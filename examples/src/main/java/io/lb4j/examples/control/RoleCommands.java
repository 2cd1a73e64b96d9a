package io.lb4j.examples.control;

import io.lb4j.core.LoadBalancer;
import io.lb4j.examples.report.Table;
import io.lb4j.neighbor.AddressClaim;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** {@code active}, {@code passive} and {@code claims}: who of two balancers serves. Owned by the control thread. */
final class RoleCommands {
  private final LoadBalancer balancer;

  RoleCommands(LoadBalancer balancer) {
    this.balancer = balancer;
  }

  void addTo(Commands commands) {
    commands.add("active", (request, exchange) -> become(balancer::becomeActive));
    commands.add("passive", (request, exchange) -> become(balancer::becomePassive));
    commands.add("claims", (request, exchange) -> claims());
  }

  private Reply become(Runnable change) {
    change.run();
    return Reply.done(Request.word(balancer.role()));
  }

  private Reply claims() {
    List<AddressClaim> claims = balancer.claims();
    Table table = new Table("interface", "address", "state");
    claims.forEach(claim -> table.row(claim.networkInterface(), claim.address(), Request.word(claim.state())));
    return new Reply(Map.of("claims", claims.stream().map(RoleCommands::tree).toList()), table.toString());
  }

  private static Map<String, Object> tree(AddressClaim claim) {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("interface", claim.networkInterface());
    tree.put("address", claim.address().toString());
    tree.put("state", Request.word(claim.state()));
    return tree;
  }
}
