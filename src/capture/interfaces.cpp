#include "finwait/capture/interfaces.h"

#include <fmt/format.h>
#include <pcap/pcap.h>

#include <memory>

#include "finwait/capture/error.h"

namespace finwait::capture {

std::vector<Interface> list_interfaces() {
  char error[PCAP_ERRBUF_SIZE] = "";
  pcap_if_t* first = nullptr;
  if (pcap_findalldevs(&first, error) != 0) throw CaptureError(fmt::format("cannot list the interfaces: {}", error));
  const std::unique_ptr<pcap_if_t, void (*)(pcap_if_t*)> all(first, &pcap_freealldevs);
  std::vector<Interface> interfaces;
  for (const pcap_if_t* at = first; at != nullptr; at = at->next) {
    interfaces.push_back(
        {at->name, at->description != nullptr ? at->description : "", (at->flags & PCAP_IF_UP) != 0, (at->flags & PCAP_IF_LOOPBACK) != 0});
  }
  return interfaces;
}

}  // namespace finwait::capture
