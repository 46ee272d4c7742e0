// Draws the live screen: a pure function of what is to be shown, where the person is, and the size.
//
// Always true: any size is drawn, however small; what was dropped stands in the second row of every page; numbers are whole, in columns
// that end at the same place.
#pragma once

#include "finwait/screen/frame.h"
#include "finwait/screen/keys.h"
#include "finwait/screen/model.h"

namespace finwait::screen {

struct Looks {
  bool utf8 = true;  ///< otherwise ASCII only
};

[[nodiscard]] Frame draw(const Model& model, const Ui& ui, Size size, const Looks& looks);

/// How many rows of the page's list a screen of this size shows.
[[nodiscard]] int list_rows(const Ui& ui, Size size) noexcept;

}  // namespace finwait::screen
