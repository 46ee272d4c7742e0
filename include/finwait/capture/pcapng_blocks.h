// The blocks of a pcapng that we write, as bytes: little-endian, time stamps in nanoseconds.
//
// Appends to a string and knows nothing of files. What reads back is pcapng_reader.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "finwait/capture/source.h"

namespace finwait::capture {

/// The head of a section, whose length is not given. Interfaces count from 0 in it.
void append_section(std::string& bytes);

/// An interface; `name` is what its system calls it, empty: not known.
void append_interface(std::string& bytes, std::uint16_t link_type, std::uint32_t snapshot_length, std::string_view name = {});

/// A packet of interface `interface` of the section, whatever Frame::interface is. `comment` is UTF-8, shown by Wireshark at the packet;
/// beyond 65532 bytes it is cut between characters. Bytes beyond the snapshot length are left out. Times before 1970 become 1970.
void append_packet(std::string& bytes, std::uint32_t interface, const Frame& frame, std::uint32_t snapshot_length,
                   std::string_view comment = {});

/// How many of the bytes, `most` at most, are whole blocks, from the first byte on. Where there is no block that can be, all are.
[[nodiscard]] std::size_t whole_blocks(std::string_view bytes, std::size_t most) noexcept;

/// How many packets there are in the whole blocks.
[[nodiscard]] std::uint64_t count_packets(std::string_view bytes) noexcept;

}  // namespace finwait::capture
