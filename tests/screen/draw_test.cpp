#include "finwait/screen/draw.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "screen/sample.h"

// Frames as they are to be seen stand in tests/screen/golden; FINWAIT_WRITE_GOLDEN=1 in the environment writes them anew, to be looked at.

namespace finwait::screen {
namespace {

Frame drawn(const Ui& ui, Size size, const Model& model = sample(), bool utf8 = true) { return draw(model, ui, size, Looks{utf8}); }

void expect_golden(const std::string& name, const Frame& frame) {
  const std::string path = std::string(FINWAIT_SOURCE_DIR) + "/tests/screen/golden/" + name + ".txt";
  if (std::getenv("FINWAIT_WRITE_GOLDEN") != nullptr) std::ofstream(path) << frame.text();
  std::ostringstream wanted;
  wanted << std::ifstream(path).rdbuf();
  EXPECT_EQ(frame.text(), wanted.str()) << name;
}

Ui on(Page page) {
  Ui ui;
  ui.page = page;
  return ui;
}

Model with_closeup() {
  Model model = sample();
  model.closeup = sample_closeup();
  return model;
}

TEST(Draw, EveryPageLooksAsItShould) {
  for (const Size size : {Size{24, 80}, Size{50, 200}}) {
    const std::string at = "_" + std::to_string(size.columns) + "x" + std::to_string(size.rows);
    expect_golden("overview" + at, drawn(on(Page::kOverview), size));
    expect_golden("busiest" + at, drawn(on(Page::kBusiest), size));
    expect_golden("sickest" + at, drawn(on(Page::kSickest), size));
    expect_golden("connections" + at, drawn(on(Page::kConnections), size));
    expect_golden("anomalies" + at, drawn(on(Page::kAnomalies), size));
    Ui open = on(Page::kConnections);
    open.open = Ui::Open{7, 7};
    expect_golden("closeup" + at, drawn(open, size, with_closeup()));
    Ui help;
    help.help = true;
    expect_golden("help" + at, drawn(help, size));
  }
}

TEST(Draw, AnySizeIsDrawn) {
  const Model model = with_closeup();
  for (int rows = 0; rows <= 30; rows += rows < 6 ? 1 : 5) {
    for (int columns = 0; columns <= 120; columns += columns < 6 ? 1 : 13) {
      for (int page = 0; page != kPages; ++page) {
        for (const int how : {0, 1, 2}) {
          Ui ui = on(static_cast<Page>(page));
          ui.help = how == 1;
          ui.selected = 1'000;
          ui.scroll = 1'000;
          if (how == 2) ui.open = Ui::Open{7, 7};
          EXPECT_EQ(drawn(ui, {rows, columns}, model).size(), (Size{rows, columns}));
        }
      }
    }
  }
  EXPECT_NE(drawn(on(Page::kOverview), {10, 40}).text().find("dropped 567"), std::string::npos);
}

TEST(Draw, WhatWasDroppedStandsOnEveryPage) {
  Ui ui;
  for (int page = 0; page != kPages; ++page) {
    ui.page = static_cast<Page>(page);
    for (const bool help : {false, true}) {
      ui.help = help;
      const Frame frame = drawn(ui, {24, 80});
      EXPECT_NE(frame.text().find("dropped 567 of 1,234,567 packets (kernel 567, interface 0), 2.5/s now"), std::string::npos);
      EXPECT_EQ(frame.at(1, 1).style, Style::kAlert);
    }
  }
  Model whole = sample();
  whole.status.counters.dropped_by_kernel = 0;
  whole.status.rates.dropped = 0;
  EXPECT_EQ(drawn(ui, {24, 80}, whole).at(1, 1).style, Style::kGood);
}

TEST(Draw, TheHelpIsTheTableOfKeys) {
  Ui ui;
  ui.help = true;
  const std::string text = drawn(ui, {24, 80}).text();
  for (const KeyRow& row : key_table()) {
    EXPECT_NE(text.find(row.help), std::string::npos) << row.help;
    EXPECT_NE(text.find(row.label), std::string::npos) << row.label;
  }
}

TEST(Draw, WithoutUtf8ThereIsOnlyAscii) {
  for (int page = 0; page != kPages; ++page) {
    Ui ui = on(static_cast<Page>(page));
    for (const bool reverse : {false, true}) {
      ui.reverse = reverse;
      for (const char c : drawn(ui, {24, 80}, sample(), false).text()) ASSERT_LT(static_cast<unsigned char>(c), 0x80);
    }
  }
}

TEST(Draw, OneRowIsSelectedAndInSight) {
  Ui ui = on(Page::kConnections);
  for (const int selected : {0, 5, 25, 500}) {
    ui.selected = selected;
    const Frame frame = drawn(ui, {24, 80});
    int marked = 0;
    for (int row = 3; row != 23; ++row) marked += frame.at(row, 79).style == Style::kSelected;
    EXPECT_EQ(marked, 1) << selected;
  }
}

TEST(Draw, ANumberIsNeverCutByTheEdgeOfAScreenOf80Columns) {
  Model model = sample();
  model.status.counters.created = model.status.counters.opened = 9'999'999'999;
  model.status.rates.created = 1'234'567;
  const std::string text = drawn(Ui{}, {24, 80}, model).text();
  EXPECT_NE(text.find("begun         9,999,999,999  1,234,567\n"), std::string::npos) << text;
}

TEST(Draw, SaysWhatIsHeldFilteredAndSorted) {
  Ui ui = on(Page::kBusiest);
  ui.paused = true;
  ui.filter = ":443";
  std::string text = drawn(ui, {24, 80}).text();
  EXPECT_NE(text.find("HELD"), std::string::npos);
  EXPECT_NE(text.find("by bytes/s  only: :443"), std::string::npos);
  EXPECT_EQ(text.find(":80\n"), std::string::npos);
  ui.typing = true;
  text = drawn(ui, {24, 80}).text();
  EXPECT_NE(text.find("show rows with: :443_"), std::string::npos);
}

}  // namespace
}  // namespace finwait::screen
