// The part of the summary object that tells how many ends were in which state over time.
#pragma once

#include "finwait/hosts/watch.h"
#include "finwait/report/json_writer.h"

namespace finwait::report {

/// "states": {"from", "step", "ends": {"ESTABLISHED": [how many at the end of each step], ...}}; nothing if no end was in any.
void put_populations(JsonWriter& json, const hosts::Populations& populations);

}  // namespace finwait::report
