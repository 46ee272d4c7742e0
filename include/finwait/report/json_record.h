// One connection, one event, one finding about a host, one summary as a line of JSON; the fields are those of the output's documentation.
//
// Absent means unknown or not applicable; nothing is written as null.
#pragma once

#include <cstdint>

#include "finwait/report/json_writer.h"
#include "finwait/report/totals.h"
#include "finwait/tcp/tracker.h"
#include "finwait/tcp/verdict.h"

namespace finwait::report {

/// {"type":"connection", ...} and a newline.
void put_connection(Text& text, const tcp::Outcome& outcome);

/// {"type":"transition", ...} or {"type":"anomaly", ...} and a newline.
void put_event(Text& text, const tcp::Event& event, const tcp::Connection& connection);

/// {"type":"host", ...} and a newline.
void put_host(Text& text, const hosts::HostFinding& finding);

/// {"type":"summary", ...} and a newline.
void put_summary(Text& text, const Totals& totals);

}  // namespace finwait::report
