// How times, durations and addresses are written.
//
// Times: RFC 3339 in UTC with nine decimals, right for every 64-bit stamp, those before 1970 included. Durations: seconds with nine
// decimals. Addresses: IPv4 dotted, IPv6 as RFC 5952 wants it. All are plain ASCII that needs no escaping.
#pragma once

#include <string>
#include <string_view>

#include "finwait/base/time.h"
#include "finwait/report/text.h"
#include "finwait/wire/flow_key.h"
#include "finwait/wire/segment.h"

namespace finwait::report {

/// "2024-02-29T23:59:59.123456789Z".
void put_time(Text& text, base::Timestamp time);

/// "12.000000001", "-0.500000000".
void put_seconds(Text& text, base::Duration duration);

/// "192.0.2.1", "2001:db8::1".
void put_address(Text& text, const wire::Address& address, int ip_version);

/// For people: "35 us", "1.25 ms", "3.4 s", "2 h 5 min".
[[nodiscard]] std::string human_duration(base::Duration duration);
/// For people: "1,234,567".
[[nodiscard]] std::string human_count(std::uint64_t count);
/// For people: "17 B", "1.4 MB".
[[nodiscard]] std::string human_bytes(std::uint64_t bytes);
/// "192.0.2.1:80", "[2001:db8::1]:80".
[[nodiscard]] std::string endpoint_text(const wire::Address& address, int ip_version, std::uint16_t port);
[[nodiscard]] std::string address_text(const wire::Address& address, int ip_version);
/// "2024-02-29 23:59:59.123456 UTC".
[[nodiscard]] std::string human_time(base::Timestamp time);
/// tcpdump's letters: "[S.]", "[none]".
[[nodiscard]] std::string flags_text(const wire::Segment& segment);

}  // namespace finwait::report
