// finwait: what it is asked to do, and the exit status. Everything else stands in the files named here.
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <new>

#include "analyse.h"
#include "finwait/capture/interfaces.h"
#include "finwait/report/describe.h"
#include "live.h"
#include "options.h"
#include "signals.h"

namespace finwait::app {
namespace {

constexpr int kFailed = 1;
constexpr int kBadUsage = 2;

int list_interfaces() {
  int number = 0;
  for (const capture::Interface& i : capture::list_interfaces()) {
    fmt::print("{}.{}{}{}{}{}\n", ++number, i.name, i.description.empty() ? "" : " (" + i.description + ")", i.up ? " [Up]" : "",
               i.loopback ? " [Loopback]" : "", "");
  }
  return 0;
}

int describe(const std::string& kind) {
  const std::string text = report::describe(kind);
  if (text.empty()) throw UsageError("--describe " + kind + ": no such kind. There are\n" + report::known_kinds());
  fmt::print("{}", text);
  return 0;
}

int run(int argc, const char* const* argv) {
  Options options = parse_options(argc, argv);
  switch (options.task) {
    case Task::kHelp:
      fmt::print("{}", help_text());
      return 0;
    case Task::kVersion:
      fmt::print("finwait {}\n", FINWAIT_VERSION);
      return 0;
    case Task::kListInterfaces:
      return list_interfaces();
    case Task::kDescribe:
      return describe(options.describe);
    case Task::kAnalyse:
      return options.interfaces.empty() ? analyse(options) : analyse_live(options);
  }
  return kBadUsage;
}

int guarded(int argc, const char* const* argv) {
  try {
    return run(argc, argv);
  } catch (const UsageError& e) {
    fmt::print(stderr, "finwait: {}\n", e.what());
    return kBadUsage;
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "finwait: not enough memory; give a smaller --max-connections or --memory\n");
  } catch (const std::exception& e) {
    fmt::print(stderr, "finwait: {}\n", e.what());
  }
  return kFailed;
}

}  // namespace
}  // namespace finwait::app

int main(int argc, char** argv) {
  finwait::app::catch_signals();
  return finwait::app::guarded(argc, argv);
}
