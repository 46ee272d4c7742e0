#include "dlt.h"

#include <pcap/pcap.h>

#include <array>

namespace finwait::capture {
namespace {

struct Pair {
  std::uint16_t link_type;
  int dlt;
};

constexpr std::array kDifferent = {
    Pair{100, DLT_ATM_RFC1483}, Pair{101, DLT_RAW},      Pair{102, DLT_SLIP_BSDOS},
    Pair{103, DLT_PPP_BSDOS},   Pair{106, DLT_ATM_CLIP}, Pair{246, DLT_PFSYNC},
};

}  // namespace

int dlt_of(std::uint16_t link_type) noexcept {
  for (const Pair& pair : kDifferent) {
    if (pair.link_type == link_type) return pair.dlt;
  }
  return link_type;
}

std::uint16_t link_type_of(int dlt) noexcept {
  for (const Pair& pair : kDifferent) {
    if (pair.dlt == dlt) return pair.link_type;
  }
  return static_cast<std::uint16_t>(dlt);
}

}  // namespace finwait::capture
