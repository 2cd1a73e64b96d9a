package io.lb4j.event;

import io.lb4j.address.IpAddress;
import io.lb4j.address.MacAddress;
import java.util.Optional;

/** Something that happened to a balancer. Immutable, shared. */
public sealed interface Event {

  /**
   * Which kind of thing the event is about. Events that take each other back share it, as a server that goes down and
   * comes up: together with {@link #subject()} it names whatever it is whose state the event tells.
   *
   * @return one of {@code server}, {@code service}, {@code limit}, {@code flow-table}, {@code neighbor}, {@code
   *     virtual-address}, {@code server-setup}, {@code configuration}, {@code role}
   */
  String category();

  /**
   * What the event is about, for filters and for limiting its rate.
   *
   * @return for example {@code web/rs1}, {@code web}, {@code eth0 192.0.2.21}
   */
  String subject();

  /**
   * The event in words.
   *
   * @return one line without a full stop
   */
  String text();

  /** An event of a server. */
  sealed interface OfServer extends Event {
    /**
     * Its service.
     *
     * @return the service's name
     */
    String service();

    /**
     * The server.
     *
     * @return its name
     */
    String server();

    @Override
    default String category() {
      return "server";
    }

    @Override
    default String subject() {
      return service() + "/" + server();
    }
  }

  /** An event of an address on a link. */
  sealed interface OfAddress extends Event {
    /**
     * The link.
     *
     * @return the interface's name
     */
    String networkInterface();

    /**
     * The address.
     *
     * @return a next hop's, or a virtual one
     */
    IpAddress address();

    @Override
    default String subject() {
      return networkInterface() + " " + address();
    }
  }

  /**
   * A server takes part again.
   *
   * @param service its service
   * @param server its name
   * @param reason who says so, for example {@code answered}
   */
  record ServerUp(String service, String server, String reason) implements OfServer {
    @Override
    public String text() {
      return "server " + subject() + " is up: " + reason;
    }
  }

  /**
   * A server is not to be used.
   *
   * @param service its service
   * @param server its name
   * @param reason a stable code, for example {@code refused} or {@code dsr-vip-missing}
   * @param detail in words
   */
  record ServerDown(String service, String server, String reason, String detail) implements OfServer {
    @Override
    public String text() {
      return "server " + subject() + " is down: " + reason + (detail.isEmpty() ? "" : ", " + detail);
    }
  }

  /**
   * So many servers of a service are down that its watermark keeps the others in use, or no longer.
   *
   * @param service the service
   * @param down servers that are held to be down
   * @param servers all of them
   * @param held whether further ones are kept in use
   */
  record MassFailure(String service, int down, int servers, boolean held) implements Event {
    @Override
    public String category() {
      return "service";
    }

    @Override
    public String subject() {
      return service;
    }

    @Override
    public String text() {
      return "service " + service + ": " + down + " of " + servers + " servers are down, "
          + (held ? "the others are kept in use" : "servers are taken out again");
    }
  }

  /**
   * A limit of connections was reached, or takes new connections again.
   *
   * @param service the service
   * @param server the server whose limit it is; nothing for the service's own
   * @param limit how many
   * @param reached false when connections are taken again
   */
  record ConnectionLimit(String service, Optional<String> server, int limit, boolean reached) implements Event {
    @Override
    public String category() {
      return "limit";
    }

    @Override
    public String subject() {
      return service + server.map(name -> "/" + name).orElse("");
    }

    @Override
    public String text() {
      return subject() + ": limit of " + limit + " connections " + (reached ? "reached" : "open again");
    }
  }

  /**
   * Flows gave way to new ones, or new ones were refused, because a table was full.
   *
   * @param evicted flows that gave way since the last such event
   * @param refused new flows that found no room since then
   */
  record FlowTablePressure(long evicted, long refused) implements Event {
    @Override
    public String category() {
      return "flow-table";
    }

    @Override
    public String subject() {
      return "flow-table";
    }

    @Override
    public String text() {
      return "flow table full: " + evicted + " flows gave way, " + refused + " new ones were refused";
    }
  }

  /**
   * A next hop answers.
   *
   * @param networkInterface by which it is reached
   * @param address its address
   * @param mac where it is
   */
  record NeighborFound(String networkInterface, IpAddress address, MacAddress mac) implements OfAddress {
    @Override
    public String category() {
      return "neighbor";
    }

    @Override
    public String text() {
      return networkInterface + ": next hop " + address + " is at " + mac;
    }
  }

  /**
   * A next hop does not answer any more.
   *
   * @param networkInterface by which it was reached
   * @param address its address
   * @param mac where it was; nothing when it never was found
   */
  record NeighborLost(String networkInterface, IpAddress address, Optional<MacAddress> mac) implements OfAddress {
    @Override
    public String category() {
      return "neighbor";
    }

    @Override
    public String text() {
      return networkInterface + ": next hop " + address + " does not answer"
          + mac.map(last -> " (was at " + last + ")").orElse("");
    }
  }

  /**
   * A next hop has another MAC address.
   *
   * @param networkInterface by which it is reached
   * @param address its address
   * @param from where it was
   * @param to where it is
   * @param changes how often that has happened
   */
  record NeighborMoved(String networkInterface, IpAddress address, MacAddress from, MacAddress to, int changes)
      implements OfAddress {
    @Override
    public String category() {
      return "neighbor";
    }

    @Override
    public String text() {
      return networkInterface + ": next hop " + address + " moved from " + from + " to " + to + ", change " + changes;
    }
  }

  /**
   * A virtual address was probed, and is answered for from now on.
   *
   * @param networkInterface where
   * @param address the virtual address
   */
  record VirtualAddressClaimed(String networkInterface, IpAddress address) implements OfAddress {
    @Override
    public String category() {
      return "virtual-address";
    }

    @Override
    public String text() {
      return networkInterface + ": virtual address " + address + " is ours";
    }
  }

  /**
   * Somebody else on the wire uses a virtual address.
   *
   * @param networkInterface where
   * @param address the virtual address
   * @param other who
   * @param claimed whether it was ours already and was defended; else it is not claimed, and tried again later
   */
  record VirtualAddressConflict(String networkInterface, IpAddress address, MacAddress other, boolean claimed)
      implements OfAddress {
    @Override
    public String category() {
      return "virtual-address";
    }

    @Override
    public String text() {
      return networkInterface + ": " + other + " also uses virtual address " + address
          + " (another active balancer, or a real server that lacks arp_ignore=1 and arp_announce=2): "
          + (claimed ? "defended" : "not claimed, tried again later");
    }
  }

  /**
   * A real server is set up wrong, as frames show that pass the balancer anyway.
   *
   * @param code of the fault, one of those in docs/verify.md, for example {@code vip-leaked}
   * @param networkInterface where it showed
   * @param server the server's own address
   * @param address the virtual address, or another one that it is about
   * @param detail what was seen, in words
   */
  record ServerSetupFault(
      String code, String networkInterface, IpAddress server, IpAddress address, String detail) implements Event {
    @Override
    public String category() {
      return "server-setup";
    }

    @Override
    public String subject() {
      return networkInterface + " " + server + " " + code;
    }

    @Override
    public String text() {
      return networkInterface + ": server " + server + " is set up wrong, " + code + ": " + detail
          + " (see docs/verify.md; lb verify tells what to type)";
    }
  }

  /**
   * The services were changed.
   *
   * @param declarations how often that has happened, this time included
   * @param services how many there are
   */
  record ServicesChanged(long declarations, int services) implements Event {
    @Override
    public String category() {
      return "configuration";
    }

    @Override
    public String subject() {
      return "services";
    }

    @Override
    public String text() {
      return "services changed, " + services + " now (change " + declarations + ")";
    }
  }

  /**
   * Something about the configuration is doubtful and was done all the same: told when the balancer is built, and when
   * a change brings it.
   *
   * @param code stable, for example {@code asymmetric-path}
   * @param setting path of the setting, for example {@code service web: server rs1}
   * @param reason what is the matter
   * @param remedy what to do
   */
  record DoubtfulSetting(String code, String setting, String reason, String remedy) implements Event {
    @Override
    public String category() {
      return "configuration";
    }

    @Override
    public String subject() {
      return code + " " + setting;
    }

    @Override
    public String text() {
      return setting + ": " + reason + "; " + remedy + " [" + code + "]";
    }
  }

  /**
   * The balancer became active or passive.
   *
   * @param active which
   */
  record RoleChanged(boolean active) implements Event {
    @Override
    public String category() {
      return "role";
    }

    @Override
    public String subject() {
      return "role";
    }

    @Override
    public String text() {
      return "the balancer is " + (active ? "active" : "passive");
    }
  }
}
