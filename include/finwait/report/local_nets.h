// Which addresses are "ours": for local_orig and local_resp.
//
// Without a list of one's own, the addresses that are private or for special use by IANA's registries count as local, as they do for Zeek.
#pragma once

#include <string_view>
#include <vector>

#include "finwait/wire/flow_key.h"

namespace finwait::report {

class LocalNets {
 public:
  /// The private and special addresses.
  LocalNets();

  /// "10.0.0.0/8,2001:db8::/32,192.0.2.7": only these. Throws std::invalid_argument with a phrase that says what is wrong.
  explicit LocalNets(std::string_view list);

  [[nodiscard]] bool contains(const wire::Address& address) const noexcept;

 private:
  struct Net {
    wire::Address prefix;  ///< IPv4 in its mapped form, as everywhere
    int bits;              ///< of the sixteen bytes
  };
  [[nodiscard]] static Net parse(std::string_view word);

  std::vector<Net> nets_;
};

}  // namespace finwait::report
