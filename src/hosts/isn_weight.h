// weigh_quickly() of many sets, one after the other, in the same room.
#pragma once

#include "finwait/hosts/isn_analysis.h"
#include "isn_room.h"

namespace finwait::hosts {

[[nodiscard]] IsnWeight weigh_quickly(const IsnSeries& series, bool listener, IsnRoom& room);

}  // namespace finwait::hosts
