#include "finwait/report/local_nets.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <string>

namespace finwait::report {
namespace {

constexpr std::string_view kPrivate =
    "0.0.0.0/8,10.0.0.0/8,100.64.0.0/10,127.0.0.0/8,169.254.0.0/16,172.16.0.0/12,192.0.0.0/24,192.0.2.0/24,192.168.0.0/16,"
    "198.18.0.0/15,198.51.100.0/24,203.0.113.0/24,240.0.0.0/4,255.255.255.255/32,"
    "::/128,::1/128,64:ff9b:1::/48,100::/64,2001::/23,2001:db8::/32,fc00::/7,fe80::/10";

constexpr int kMappedBits = 96;  ///< of an IPv4 address before its own

const wire::Address kMapped = wire::Address::v4(std::array<std::uint8_t, 4>{}.data());

}  // namespace

// 6to4 (RFC 3056) carries an IPv4 address after its first two bytes: what is private there is private here.
LocalNets::LocalNets() : LocalNets(kPrivate) {
  for (std::size_t n = 0, known = nets_.size(); n != known; ++n) {
    if (nets_[n].bits < kMappedBits || !std::equal(kMapped.bytes.begin(), kMapped.bytes.begin() + 12, nets_[n].prefix.bytes.begin()))
      continue;
    wire::Address relayed{{0x20, 0x02}};
    std::copy(nets_[n].prefix.bytes.begin() + 12, nets_[n].prefix.bytes.end(), relayed.bytes.begin() + 2);
    nets_.push_back({relayed, nets_[n].bits - kMappedBits + 16});
  }
}

LocalNets::LocalNets(std::string_view list) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (comma != 0) nets_.push_back(parse(list.substr(0, comma)));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  if (nets_.empty()) throw std::invalid_argument("name at least one network, as 10.0.0.0/8");
}

LocalNets::Net LocalNets::parse(std::string_view word) {
  const std::size_t slash = word.find('/');
  const std::string address(word.substr(0, slash));
  wire::Address prefix = kMapped;
  int before = kMappedBits;
  if (inet_pton(AF_INET, address.c_str(), prefix.bytes.data() + 12) != 1) {
    if (inet_pton(AF_INET6, address.c_str(), prefix.bytes.data()) != 1) throw std::invalid_argument(address + " is no address");
    before = 0;
  }
  const int most = 128 - before;
  int bits = most;
  if (slash != std::string_view::npos) {
    const std::string_view length = word.substr(slash + 1);
    const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), bits);
    if (error != std::errc{} || end != length.data() + length.size() || bits < 0 || bits > most) {
      throw std::invalid_argument(std::string(word) + ": the length of the prefix is a number from 0 to " + std::to_string(most));
    }
  }
  return {prefix, before + bits};
}

bool LocalNets::contains(const wire::Address& address) const noexcept {
  return std::any_of(nets_.begin(), nets_.end(), [&](const Net& net) {
    const auto whole = static_cast<std::size_t>(net.bits / 8);
    if (!std::equal(net.prefix.bytes.begin(), net.prefix.bytes.begin() + net.bits / 8, address.bytes.begin())) return false;
    const int rest = net.bits % 8;
    return rest == 0 || ((net.prefix.bytes[whole] ^ address.bytes[whole]) >> (8 - rest)) == 0;
  });
}

}  // namespace finwait::report
