package io.lb4j.setup;

/**
 * What every shell script begins with. The functions keep a journal of what they find before they change it, each thing
 * once, so that running a script again does not make its own work "what was there before". Stateless.
 *
 * <pre>
 *  sysctls           key, value before           addresses   those added to lo     routes   those added
 *  files, folders    written, made               before/     files as they were
 *  addresses-before, routes-before               what had to give way
 * </pre>
 */
final class ShellFunctions {
  /** Settings, rights, and the small change. */
  static final String HEAD =
      """
      set -eu
      umask 022
      export LC_ALL=C

      ROOT=${LB4J_ROOT:-}
      if [ -n "$ROOT" ]; then LIVE=${LB4J_LIVE:-no}; else LIVE=${LB4J_LIVE:-yes}; fi
      STATE=${LB4J_STATE:-$ROOT/var/lib/lb4j-setup}
      BOOT=$(cat /proc/sys/kernel/random/boot_id)

      die() {
        echo "lb setup: $*" >&2
        exit 1
      }

      warn() {
        echo "lb setup: $*" >&2
      }

      # noted JOURNAL LINE: whether the journal has the line
      noted() {
        [ -f "$STATE/$1" ] && grep -qxF -e "$2" "$STATE/$1"
      }

      # note JOURNAL LINE: adds it once
      note() {
        noted "$1" "$2" || printf '%s\\n' "$2" >> "$STATE/$1"
      }

      # forget JOURNAL LINE
      forget() {
        grep -vxF -e "$2" "$STATE/$1" > "$STATE/new" || :
        cat "$STATE/new" > "$STATE/$1"
      }

      # journal NAME: its lines, the last first
      journal() {
        [ ! -f "$STATE/$1" ] || awk '{ line[NR] = $0 } END { for (i = NR; i > 0; i--) print line[i] }' "$STATE/$1"
      }

      check_rights() {
        case $LIVE in yes | no) ;; *) die "LB4J_LIVE is yes or no" ;; esac
        if [ "$LIVE" = yes ]; then
          [ "$(id -u)" = 0 ] || die "this needs root"
          command -v ip > /dev/null || die "the program ip is missing: install iproute2"
        fi
      }

      # holders ADDRESS: the lines of 'ip -o address' that have it, whatever their prefix length
      holders() {
        ip -o address show | awk -v address="$1" '{ split($4, part, "/"); if (part[1] == address) print }'
      }

      # drop_address FAMILY ADDRESS: takes an address that we added from lo
      drop_address() {
        [ "$LIVE" = no ] || ip "$1" address del "$2" dev lo 2> /dev/null || :
        forget addresses "$1 $2"
      }

      # routes_to FAMILY DESTINATION: exactly these, as 'ip route add' reads them
      routes_to() {
        ip "$1" -o route show exact "$2" | tr '\\t' ' ' \\
          | sed -e 's/\\\\//g' -e 's/ linkdown//g' -e 's/ dead//g' -e 's/ expires [0-9]*sec//' -e 's/  */ /g' -e 's/ *$//'
      }

      # drop_route FAMILY DESTINATION GATEWAY INTERFACE METRIC: takes our route back; what it replaced returns
      drop_route() {
        if [ "$LIVE" = yes ]; then
          if ip "$1" route del "$2" via "$3" dev "$4" ${5:+metric "$5"} 2> /dev/null; then
            restore_routes "$1" "$2"
          else
            warn "the route to $2 via $3 is gone already; routes stay as they are"
          fi
        fi
        forget routes "$*"
      }

      restore_routes() {
        [ -f "$STATE/routes-before" ] || return 0
        while read -r family destination line; do
          [ "$family $destination" = "$1 $2" ] || continue
          # shellcheck disable=SC2086 # the words of one route
          routes_to "$1" "$2" | grep -qxF -e "$line" || ip "$1" route add $line || warn "cannot restore: $line"
        done < "$STATE/routes-before"
      }

      # without_ours FILE: its lines but for those between our marks
      without_ours() {
        awk '/^# lb4j begin$/ { own = 1 } !own { print } /^# lb4j end$/ { own = 0 }' "$1"
      }

      # restore_file PATH: as it was before, or not there. A file that others write into as well, and have changed since,
      # loses our lines alone.
      restore_file() {
        was=$STATE/before$1
        if is_changed "$1" "$was"; then
          if [ -e "$ROOT$1" ]; then
            cp -p "$ROOT$1" "$ROOT$1.lb4j-new" # rights and owner stay
            without_ours "$ROOT$1" > "$ROOT$1.lb4j-new"
            mv -f "$ROOT$1.lb4j-new" "$ROOT$1"
          fi
          warn "$ROOT$1 was changed since: the rest of it stays as it is"
        elif [ -e "$was" ] || [ -h "$was" ]; then
          cp -pP "$was" "$ROOT$1.lb4j-new"
          mv -f "$ROOT$1.lb4j-new" "$ROOT$1"
        else
          rm -f "$ROOT$1"
        fi
        rm -f "$was"
        forget files "$1"
      }

      # is_changed PATH BEFORE: whether a file has other lines than before, besides ours. Files that are ours alone have
      # neither marks nor a copy; the copy of a link leads nowhere.
      is_changed() {
        [ ! -h "$2" ] || return 1
        if [ -e "$2" ]; then
          [ -e "$ROOT$1" ] || return 0
          without_ours "$2" > "$STATE/content"
        else
          grep -qsx '# lb4j begin' "$ROOT$1" || return 1
          : > "$STATE/content"
        fi
        ! without_ours "$ROOT$1" | cmp -s - "$STATE/content"
      }

      # is_over: whether a restart has taken the set-up back
      is_over() {
        [ "$(cat "$STATE/flavour")" = iproute2 ] && [ "$(cat "$STATE/boot")" != "$BOOT" ]
      }

      # tell_tool FLAVOUR: lets a running tool read its files again. What netplan made of files that are gone would come
      # back when networkd starts anew.
      tell_tool() {
        [ "$LIVE" = yes ] && [ -z "$ROOT" ] || return 0
        case $1 in
          systemd-networkd) set -- networkctl reload ;;
          netplan) set -- netplan generate ;;
          networkmanager) set -- nmcli connection reload ;;
          *) return 0 ;;
        esac
        command -v "$1" > /dev/null || return 0
        "$@" < /dev/null
      }

      """;

  /** What sets up. */
  static final String APPLY =
      """
      # check_state FLAVOUR ADDRESS...: refuses a machine that is set up otherwise, or as a server of other addresses, whose
      # set-up this one would take back
      check_state() {
        if [ -f "$STATE/flavour" ]; then
          ! is_over || return 0
          was=$(cat "$STATE/flavour")
          [ "$was" = "$1" ] || die "this machine is set up with $was: take that back first"
          shift
          for address in "$@"; do ! noted machine "$address" || return 0; done
          die "this machine is set up as the server $(paste -s -d ' ' "$STATE/machine"): take that back first"
        elif [ -e "$STATE" ] && [ -n "$(ls -A "$STATE")" ]; then
          die "$STATE holds something else: set LB4J_STATE to an empty folder"
        fi
      }

      # begin FLAVOUR ADDRESS...: opens the journal
      begin() {
        # What was made until the restart is gone with it, and so is what it replaced.
        if [ -f "$STATE/flavour" ] && is_over; then
          for name in sysctls addresses addresses-before routes routes-before routes-seen; do rm -f "$STATE/$name"; done
        fi
        make_folder "$STATE"
        chmod 700 "$STATE"
        echo "$1" > "$STATE/flavour"
        echo "$BOOT" > "$STATE/boot"
        shift
        printf '%s\\n' "$@" > "$STATE/machine"
        rm -f "$STATE/wanted-files"
        SYSCTLS=
        ROUTES=
        WANTED=
      }

      # make_folder PATH: with its parents; those that were missing are noted
      make_folder() {
        missing=
        folder=$1
        while [ -n "$folder" ] && [ "$folder" != / ] && [ "$folder" != . ] && [ ! -d "$folder" ]; do
          missing="$folder
      $missing"
          folder=$(dirname "$folder")
        done
        [ -n "$missing" ] || return 0
        mkdir -p "$1"
        printf '%s' "$missing" >> "$STATE/folders"
      }

      # own_address ADDRESS: refuses to set up another machine
      own_address() {
        [ "$LIVE" = no ] || [ -n "$(holders "$1")" ] || die "no interface has $1: is this the right machine?"
      }

      # interface_of ADDRESS
      interface_of() {
        if [ -n "$INTERFACE" ]; then
          found=$INTERFACE
        elif [ "$LIVE" = no ]; then
          die "set LB4J_INTERFACE: nothing can be looked for in a folder"
        else
          found=$(holders "$1" | awk 'NR == 1 { print $2 }')
        fi
        check_interface "$found"
        echo "$found"
      }

      # interface_towards GATEWAY ADDRESS: the one whose subnet holds the gateway
      interface_towards() {
        case $1 in fe80:*) interface_of "$2" && return 0 ;; esac
        if [ -n "$INTERFACE" ] || [ "$LIVE" = no ]; then
          interface_of "$2"
          return 0
        fi
        way=$(ip -o route get "$1" 2> /dev/null | head -n 1)
        case $way in
          '' | *' via '*) die "the gateway $1 is in no subnet of this machine" ;;
          local*) die "the gateway $1 is an address of this machine" ;;
        esac
        found=$(printf '%s\\n' "$way" | sed 's/.* dev \\([^ ]*\\).*/\\1/')
        check_interface "$found"
        echo "$found"
      }

      # Names go into files of several formats; those of real interfaces are harmless in all of them.
      check_interface() {
        case $1 in
          '' | lo | *[!A-Za-z0-9._-]* | -* | .*) die "cannot set up the interface '$1'" ;;
        esac
        [ "$LIVE" = no ] || [ -d "/proc/sys/net/ipv4/conf/$1" ] || die "there is no interface $1"
      }

      # set_sysctl KEY VALUE ENOUGH: unless it has one of the values that are enough
      set_sysctl() {
        # Dots of an interface's name are written as slashes: sysctl.d(5).
        SYSCTLS="$SYSCTLS$(printf '%s' "$1" | tr ./ /.) = $2
      "
        [ "$LIVE" = yes ] || return 0
        [ -e "/proc/sys/$1" ] || die "this kernel has no $1"
        now=$(cat "/proc/sys/$1")
        case " $3 " in *" $now "*) return 0 ;; esac
        was_changed "$1" || note sysctls "$1 $now"
        echo "$2" > "/proc/sys/$1"
      }

      # was_changed KEY: whether an earlier run changed it
      was_changed() {
        [ -f "$STATE/sysctls" ] && cut -d ' ' -f 1 "$STATE/sysctls" | grep -qxF -e "$1"
      }

      # is_strict INTERFACE: whether clients' packets could be dropped for the way that their answers take, which needs
      # another interface to answer by. The kernel takes the larger of both values; 2 wins over 1, but 0 does not.
      is_strict() {
        [ "$LIVE" = yes ] || return 1
        ! was_changed "net/ipv4/conf/$1/rp_filter" || return 0
        all=$(cat /proc/sys/net/ipv4/conf/all/rp_filter)
        own=$(cat "/proc/sys/net/ipv4/conf/$1/rp_filter")
        case "$all$own" in 01 | 10 | 11) ;; *) return 1 ;; esac
        ip -4 -o route show table all type unicast | sed -n 's/.* dev \\([^ ]*\\).*/\\1/p' | grep -qvxF -e "$1"
      }

      # loopback_address FAMILY ADDRESS LENGTH
      loopback_address() {
        WANTED="$WANTED$1 $2/$3
      "
        [ "$LIVE" = yes ] || return 0
        if [ -n "$(holders "$2")" ]; then
          move_away "$1" "$2" "$3"
        fi
        if ! holders "$2" | grep -qF -e " $2/$3 "; then
          note addresses "$1 $2/$3"
          # lo needs no duplicate address detection
          if [ "$1" = -6 ]; then ip -6 address add "$2/$3" dev lo nodad; else ip -4 address add "$2/$3" dev lo; fi
        fi
      }

      # check_place ADDRESS LENGTH: refuses an address that move_away cannot move
      check_place() {
        [ "$LIVE" = yes ] || return 0
        holders "$1" | while read -r number device kind address rest; do
          case "$device $address" in "lo $1/$2") continue ;; esac
          case "$kind $device $rest" in
            'inet lo '* | inet6* | *' secondary '*) ;;
            *) case $address in
              */32) ;;
              *) die "$address is the first address of $device ($number): remove it by hand, others hang on it" ;;
            esac ;;
          esac
        done
      }

      # move_away FAMILY ADDRESS LENGTH: removes it where it must not be: on the interface towards the balancer, or on lo
      # with a mask that makes this machine take a whole subnet for itself
      move_away() {
        holders "$2" | while read -r number device kind address rest; do
          case "$device $address" in "lo $2/$3") continue ;; esac
          words=$(printf '%s\\n' "$rest" | sed 's/\\\\.*//' | awk -v device="$device" '{
            for (i = 1; i <= NF; i++) {
              if ($i == "brd" || $i == "scope" || $i == "metric") { printf " %s %s", $i, $(i + 1); i++ }
              else if ($i == "nodad" || $i == "home" || $i == "noprefixroute" || $i == "mngtmpaddr") printf " %s", $i
              else if (i == NF && index($i, device) == 1 && $i != device) printf " label %s", $i
            }
          }')
          note addresses-before "$1 $device $address$words"
          ip "$1" address del "$address" dev "$device"
          warn "$address was on $device; take it out of the files that put it there, too"
        done
      }

      # set_route FAMILY DESTINATION GATEWAY INTERFACE METRIC
      set_route() {
        ROUTES="$ROUTES$1 $2 $3 $4
      "
        WANTED="$WANTED$*
      "
        [ "$LIVE" = yes ] || return 0
        noted routes "$*" || replace_earlier "$1" "$2"
        if ! noted routes "$*"; then
          if ! noted routes-seen "$1 $2"; then
            note routes-seen "$1 $2"
            routes_to "$1" "$2" | while read -r line; do note routes-before "$1 $2 $line"; done
          fi
          note routes "$*"
        fi
        ip "$1" route replace "$2" via "$3" dev "$4" ${5:+metric "$5"}
      }

      # replace_earlier FAMILY DESTINATION: a route of ours by another gateway goes
      replace_earlier() {
        journal routes | while read -r family destination gateway interface metric; do
          [ "$family $destination" = "$1 $2" ] || continue
          ip "$1" route del "$2" via "$gateway" dev "$interface" ${metric:+metric "$metric"} 2> /dev/null || :
          forget routes "$family $destination $gateway $interface${metric:+ $metric}"
        done
      }

      # put_file PATH MODE: writes standard input there; the mode is for a file that is new
      put_file() {
        cat > "$STATE/content"
        echo "$1" >> "$STATE/wanted-files"
        if ! noted files "$1"; then
          if [ -e "$ROOT$1" ] || [ -h "$ROOT$1" ]; then
            mkdir -p "$STATE/before$(dirname "$1")"
            cp -pP "$ROOT$1" "$STATE/before$1"
          fi
          note files "$1"
        fi
        make_folder "$(dirname "$ROOT$1")"
        if [ ! -h "$ROOT$1" ] && cmp -s "$STATE/content" "$ROOT$1"; then return 0; fi
        if [ -f "$ROOT$1" ] && [ ! -h "$ROOT$1" ]; then
          cp -p "$ROOT$1" "$ROOT$1.lb4j-new" # rights and owner stay
        else
          : > "$ROOT$1.lb4j-new"
          chmod "$2" "$ROOT$1.lb4j-new"
        fi
        cat "$STATE/content" > "$ROOT$1.lb4j-new"
        mv -f "$ROOT$1.lb4j-new" "$ROOT$1"
      }

      # new_file PATH: refuses to write over a file of somebody else
      new_file() {
        noted files "$1" || [ ! -e "$ROOT$1" ] || die "$ROOT$1 is there already: move it away"
      }

      # others PATH: a file's lines but for those of an earlier run
      others() {
        [ ! -f "$ROOT$1" ] || without_ours "$ROOT$1"
      }

      # put_sysctls: the kernel's settings, for the next start
      put_sysctls() {
        [ -z "$SYSCTLS" ] || { echo "# Written by lb setup; see docs/server-setup.md"; printf '%s' "$SYSCTLS"; } \\
          | put_file /etc/sysctl.d/90-lb4j.conf 644
      }

      # finish FLAVOUR: what an earlier run made and nobody wants now goes
      finish() {
        journal addresses | while read -r family address; do
          printf '%s' "$WANTED" | grep -qxF -e "$family $address" || drop_address "$family" "$address"
        done
        journal routes | while read -r family destination gateway interface metric; do
          printf '%s' "$WANTED" | grep -qxF -e "$family $destination $gateway $interface${metric:+ $metric}" \\
            || drop_route "$family" "$destination" "$gateway" "$interface" ${metric:+"$metric"}
        done
        journal files | while read -r path; do
          noted wanted-files "$path" || restore_file "$path"
        done
        tell_tool "$1" || not_read "$1"
        rm -f "$STATE/new" "$STATE/content" "$STATE/wanted-files"
        echo "lb setup: done; what was there before is in $STATE"
      }

      # not_read FLAVOUR: netplan makes nothing of all its files for the sake of one, which leaves a machine without network
      # at the next start
      not_read() {
        [ "$1" = netplan ] || { warn "$1 did not read its files again: they count from the next start on"; return 0; }
        journal files | grep '^/etc/netplan/' | while read -r path; do restore_file "$path"; done
        die "netplan refuses its files with ours, which are gone again; what was done at once stays until --undo"
      }

      """;

  /** What takes back, the newest first. */
  static final String UNDO =
      """
      undo() {
        check_rights
        if [ ! -f "$STATE/flavour" ]; then
          echo "lb setup: nothing to take back: $STATE has no set-up"
          return 0
        fi
        ! is_over || LIVE=no
        journal routes | while read -r family destination gateway interface metric; do
          drop_route "$family" "$destination" "$gateway" "$interface" ${metric:+"$metric"}
        done
        journal addresses | while read -r family address; do drop_address "$family" "$address"; done
        if [ "$LIVE" = yes ]; then
          restore_addresses
          journal sysctls | while read -r key value; do
            if [ -e "/proc/sys/$key" ]; then echo "$value" > "/proc/sys/$key"; else warn "there is no $key any more"; fi
          done
        fi
        journal files | while read -r path; do restore_file "$path"; done
        tell_tool "$(cat "$STATE/flavour")" || warn "the files count from the next start on"
        close
      }

      restore_addresses() {
        [ -f "$STATE/addresses-before" ] || return 0
        while read -r family device words; do
          # shellcheck disable=SC2086 # the words of one address
          ip "$family" address add $words dev "$device" || warn "cannot restore: $words on $device"
        done < "$STATE/addresses-before"
      }

      # close: removes the journal, and then the folders that were made and are empty
      close() {
        folders=$(journal folders | sort -r)
        for name in sysctls addresses addresses-before routes routes-before routes-seen files folders flavour boot \\
          machine new content wanted-files; do
          rm -f "$STATE/$name"
        done
        rm -rf "$STATE/before"
        printf '%s\\n' "$folders" | while read -r folder; do
          [ -z "$folder" ] || rmdir "$folder" 2> /dev/null || :
        done
        [ ! -d "$STATE" ] || rmdir "$STATE" 2> /dev/null || :
        echo "lb setup: taken back"
      }

      """;

  private ShellFunctions() {}
}
