// Values as a person types them: durations, sizes, points in time, counts.
//
// Each parser takes the whole word or throws std::invalid_argument with a phrase that says what it should look like.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "finwait/base/time.h"

namespace finwait::app {

/// "30", "30s", "500ms", "2m", "1.5h", "10us", "3d": not negative.
[[nodiscard]] base::Duration parse_duration(const std::string& word);

/// "512M", "2G", "1000000": bytes; K, M, G, T are powers of 1024.
[[nodiscard]] std::uint64_t parse_size(const std::string& word);

/// "2024-02-29T12:00:00.5Z" (also with a space, without fraction, with an offset as +02:00; no zone is UTC), "2024-02-29", or seconds since
/// 1970 as "1709208000.5".
[[nodiscard]] base::Timestamp parse_time(const std::string& word);

/// "0.02" or "2%": from 0 to 1.
[[nodiscard]] double parse_share(const std::string& word);

/// A whole number, at least `least`.
[[nodiscard]] std::uint64_t parse_count(const std::string& word, std::uint64_t least);

/// What stands between the separators, without what is empty. Not by a stream: those keep it to themselves when memory is short.
[[nodiscard]] std::vector<std::string> split(const std::string& text, char separator);

}  // namespace finwait::app
