// Community ID, version 1: a name for a flow on which tools agree (seed 0).
#pragma once

#include <array>
#include <string_view>

#include "finwait/wire/flow_key.h"

namespace finwait::report {

/// "1:" and the base64 form of a SHA-1.
using CommunityId = std::array<char, 30>;

[[nodiscard]] CommunityId community_id(const wire::FlowKey& key) noexcept;
[[nodiscard]] inline std::string_view view(const CommunityId& id) noexcept { return {id.data(), id.size()}; }

}  // namespace finwait::report
