#include "finwait/capture/pcap_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "finwait/capture/error.h"

namespace finwait::capture {

PcapWriter::PcapWriter(const std::string& path, std::uint16_t link_type, std::uint32_t snapshot_length)
    : file_(path), path_(path), link_type_(link_type), snapshot_length_(snapshot_length) {
  file_.write32(0xa1b23c4d);
  file_.write16(2);
  file_.write16(4);
  file_.write32(0);  // time zone
  file_.write32(0);  // accuracy
  file_.write32(snapshot_length);
  file_.write32(link_type);
}

void PcapWriter::write(const Frame& frame) {
  if (frame.link_type != link_type_) {
    throw CaptureError(
        fmt::format("{}: a pcap file holds one link type ({}), not also {}; write pcapng", path_, link_type_, frame.link_type));
  }
  constexpr base::Timestamp kLast = base::Timestamp{std::numeric_limits<std::uint32_t>::max()} * base::kSecond + (base::kSecond - 1);
  const base::Timestamp time = std::clamp<base::Timestamp>(frame.time, 0, kLast);
  const std::uint32_t captured = std::min(frame.captured, snapshot_length_);
  file_.write32(static_cast<std::uint32_t>(time / base::kSecond));
  file_.write32(static_cast<std::uint32_t>(time % base::kSecond));
  file_.write32(captured);
  file_.write32(frame.length);
  file_.write({frame.data, captured});
}

}  // namespace finwait::capture
