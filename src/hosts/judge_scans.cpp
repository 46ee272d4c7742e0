// Scans: what one host tried, put together from the ports it tried of each target and the targets it tried on each port.
#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <tuple>

#include "watch_impl.h"

namespace finwait::hosts {
namespace {

std::string address_text(const wire::Address& address, std::uint32_t network) {
  std::array<char, INET6_ADDRSTRLEN> room{};
  const bool v6 = (network & wire::FlowKey::kIpv6) != 0;
  const void* bytes = v6 ? static_cast<const void*>(address.bytes.data()) : static_cast<const void*>(address.bytes.data() + 12);
  return inet_ntop(v6 ? AF_INET6 : AF_INET, bytes, room.data(), room.size());
}

struct Found {
  const Probes* probes;
  wire::FlowKey key;
  std::uint64_t distinct;
};

/// All that one host did.
struct Scanner {
  std::vector<Found> targets;  ///< of which it tried many ports
  std::vector<Found> sweeps;   ///< ports that it tried on many hosts
};

/// The largest of them.
const Found* largest(const std::vector<Found>& all) {
  const auto less = [](const Found& a, const Found& b) {
    return std::tuple(a.distinct, b.key.high, b.key.high_port) < std::tuple(b.distinct, a.key.high, a.key.high_port);
  };
  return all.empty() ? nullptr : &*std::max_element(all.begin(), all.end(), less);
}

/// "SYN", "null and FIN"
std::string techniques_text(const Probes& p) {
  static constexpr std::array<std::string_view, kTechniques> kNames{"SYN", "connect", "FIN", "null", "Xmas", "odd flags"};
  std::vector<std::size_t> used;
  for (std::size_t n = 0; n != kNames.size(); ++n) {
    if (p.techniques[n] * 20 >= p.all) used.push_back(n);
  }
  std::stable_sort(used.begin(), used.end(), [&](std::size_t a, std::size_t b) { return p.techniques[a] > p.techniques[b]; });
  std::string text;
  for (const std::size_t n : used) text += fmt::format("{}{}", text.empty() ? "" : " and ", kNames[n]);
  return text;
}

std::string outcome_text(const Probes& p) {
  std::string text = fmt::format("{} probes in {:.3g} s by {}", p.all, static_cast<double>(base::elapsed(p.span.first, p.span.last)) * 1e-9,
                                 techniques_text(p));
  if (p.refused != 0) text += fmt::format(", {} refused", p.refused);
  if (p.open != 0) text += fmt::format(", {} answered", p.open);
  return text;
}

HostFinding finding_of(const wire::Address& ip, std::uint32_t network, const Scanner& s) {
  const Found* target = largest(s.targets);
  const Found* sweep = largest(s.sweeps);
  const Probes& p = target != nullptr ? *target->probes : *sweep->probes;
  const HostKindInfo& row = info(HostKind::kPortScan);
  HostFinding f;
  f.kind = row.kind;
  f.severity = row.severity;
  f.origins = row.origins;
  f.ip = ip;
  f.network = network;
  Span span{};
  for (const auto* list : {&s.targets, &s.sweeps}) {
    for (const Found& found : *list) {
      span.add(found.probes->span.first);
      span.add(found.probes->span.last);
    }
  }
  f.from = span.first;
  f.to = span.last;
  f.connections = p.examples.list();
  const std::string more = target != nullptr && target->probes->cut ? "more than " : "";
  if (target != nullptr) {
    if (s.targets.size() == 1) f.peer = target->key.high;
    f.text = fmt::format("tried {}{} ports of {}", more, target->distinct, address_text(target->key.high, network));
    if (s.targets.size() > 1) f.text += fmt::format(" and of {} other hosts", s.targets.size() - 1);
    f.measures = {{"ports", static_cast<double>(target->distinct)}, {"hosts_with_many_ports", static_cast<double>(s.targets.size())}};
  }
  if (sweep != nullptr) {
    if (target == nullptr && s.sweeps.size() == 1) f.peer_port = sweep->key.high_port;
    f.text += fmt::format("{}tried port {} on {}{} hosts", f.text.empty() ? "" : "; ", sweep->key.high_port,
                          sweep->probes->cut ? "more than " : "", sweep->distinct);
    if (s.sweeps.size() > 1) f.text += fmt::format(", and {} other ports likewise", s.sweeps.size() - 1);
    f.measures.push_back({"hosts", static_cast<double>(sweep->distinct)});
    f.measures.push_back({"ports_on_many_hosts", static_cast<double>(s.sweeps.size())});
  }
  f.text += ": " + outcome_text(p);
  f.measures.push_back({"probes", static_cast<double>(p.all)});
  f.measures.push_back({"refused", static_cast<double>(p.refused)});
  f.measures.push_back({"answered", static_cast<double>(p.open)});
  return f;
}

}  // namespace

std::uint64_t HostWatch::Impl::distinct(const Probes& probes, bool ports) const noexcept {
  if (probes.block == 0) return probes.distinct;
  return ports ? sketches[probes.block].ports() : std::min(sketches[probes.block].hashes(), probes.all);
}

// Half of what was tried, or more, must have come to nothing: many services that answer are no scan.
void HostWatch::Impl::judge_scans(std::vector<HostFinding>& out) const {
  std::map<std::tuple<wire::Address, std::uint32_t>, Scanner> scanners;
  const auto enough = [](const Probes& p, std::uint64_t least, std::uint64_t found) { return found >= least && p.failed * 2 >= found; };
  targets.for_each([&](const wire::FlowKey& key, const Probes& p) {
    const std::uint64_t ports = distinct(p, true);
    if (enough(p, options.thresholds.scan_ports, ports)) scanners[{key.low, key.network}].targets.push_back({&p, key, ports});
  });
  sweeps.for_each([&](const wire::FlowKey& key, const Probes& p) {
    const std::uint64_t hosts = distinct(p, false);
    if (!enough(p, options.thresholds.scan_hosts, hosts)) return;
    scanners[{key.low, key.network}].sweeps.push_back({&p, key, hosts});
  });
  for (const auto& [who, scanner] : scanners) out.push_back(finding_of(std::get<0>(who), std::get<1>(who), scanner));
}

}  // namespace finwait::hosts
