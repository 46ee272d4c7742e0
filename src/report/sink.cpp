#include "finwait/report/sink.h"

namespace finwait::report {

void Sink::lone_syns(std::span<const tcp::LoneSyn> syns) {
  tcp::Brief made;
  for (const tcp::LoneSyn& syn : syns) {
    write_brief(syn, made);
    brief({made, {}});
  }
}

}  // namespace finwait::report
