# Completion of finwait's command line for bash; installed as share/bash-completion/completions/finwait.
_finwait() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
  COMPREPLY=()
  case $previous in
    -r | --read | -F | --filter-file | -w | --write)
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      compopt -o filenames
      return ;;
    -i | --interface)
      mapfile -t COMPREPLY < <(compgen -W "any $(command ls /sys/class/net 2>/dev/null)" -- "$current")
      return ;;
    -o | --output)
      mapfile -t COMPREPLY < <(compgen -W 'summary json events zeek zeek-json eve' -- "$current")
      return ;;
    --checksums)
      mapfile -t COMPREPLY < <(compgen -W 'count verify ignore' -- "$current")
      return ;;
    --capture-method)
      mapfile -t COMPREPLY < <(compgen -W 'ring xdp' -- "$current")
      return ;;
    --threshold)
      mapfile -t COMPREPLY < <(compgen -W 'retransmissions= retransmitted-share= spurious= spurious-share= out-of-order= out-of-order-share= tries= silence= idle-before=
        stall= timestamp-ticks= storm= host-flood-half-open= host-flood-share= host-overflow-connections= host-overflow-share=
        host-scan-ports= host-scan-hosts= host-time-wait-share= host-time-wait-least= host-leak-connections= host-resets=
        host-reset-share= host-retransmissions= host-retransmitted-share= host-loss-bytes= host-loss-share=' -- "$current")
      compopt -o nospace
      return ;;
    --user)
      mapfile -t COMPREPLY < <(compgen -u -- "$current")
      return ;;
    --fail-on)
      mapfile -t COMPREPLY < <(compgen -W 'info notice warning alert' -- "$current")
      return ;;
    -B | --buffer-size | --metrics | --counters | -c | --count | -s | --snapshot-length | -t | --threads | --from | --to | --only | --explain | --describe | --memory | --max-connections | --msl | --idle | \
      --syn-timeout | --syn-ack-timeout | --closing-timeout | --lingering | --seed | --rotate-size | --rotate-every)
      return ;;
  esac
  if [[ $current == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W '--read --interface --buffer-size --capture-method --no-promiscuous-mode --counters --metrics --user --no-sandbox --output --rotate-size --rotate-every --write --explain --describe --quiet --verbose --stats --progress --count --filter-file --numeric
      --snapshot-length --from --to --only --checksums --local-nets --fail-on --threads --memory --max-connections --msl --idle --syn-timeout --syn-ack-timeout
      --closing-timeout --lingering --threshold --seed --list-interfaces --help --version' -- "$current")
  fi
}
complete -F _finwait finwait
