#include "finwait/capture/pcapng_writer.h"

#include <span>

#include "finwait/capture/pcapng_blocks.h"

namespace finwait::capture {

PcapngWriter::PcapngWriter(const std::string& path, std::uint32_t snapshot_length) : file_(path), snapshot_length_(snapshot_length) {
  append_section(blocks_);
  put();
}

void PcapngWriter::put() {
  file_.write({reinterpret_cast<const std::uint8_t*>(blocks_.data()), blocks_.size()});
  blocks_.clear();
}

void PcapngWriter::write(const Frame& frame, std::string_view comment) {
  const auto [place, fresh] = interfaces_.try_emplace({frame.interface, frame.link_type}, static_cast<std::uint32_t>(interfaces_.size()));
  if (fresh) append_interface(blocks_, frame.link_type, snapshot_length_);
  append_packet(blocks_, place->second, frame, snapshot_length_, comment);
  put();
}

}  // namespace finwait::capture
