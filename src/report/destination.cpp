#include "finwait/report/destination.h"

namespace finwait::report {

void DirectDestination::write(std::string_view lines, base::Timestamp at) {
  if (!failed_) check(file_.write(lines, at).error);
}

void DirectDestination::close(base::Timestamp at) {
  if (!failed_) check(file_.close(at));
}

void DirectDestination::check(int error) {
  if (error == 0) return;
  failed_ = true;
  throw OutputError(file_.complaint(error) + "; what is there is incomplete");
}

}  // namespace finwait::report
