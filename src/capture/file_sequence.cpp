#include "finwait/capture/file_sequence.h"

#include <dirent.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <new>
#include <string_view>
#include <system_error>
#include <utility>

#include "finwait/capture/byte_window.h"
#include "finwait/capture/error.h"
#include "finwait/capture/open_capture.h"
#include "finwait/capture/stop.h"

namespace finwait::capture {
namespace {

constexpr std::size_t kMostNotes = 100;

bool is_folder(const std::string& path) {
  std::error_code ignored;
  return path != "-" && std::filesystem::is_directory(path, ignored);
}

bool is_regular(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored);
}

/// The paths of what is in a folder, in order. Throws CaptureError. Not by std::filesystem: its iterators end the process when memory is
/// short (they allocate where they promise not to throw).
std::vector<std::string> names_in(const std::string& folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(folder.c_str()), &::closedir);
  const std::string before = folder.back() == '/' ? folder : folder + "/";
  std::vector<std::string> names;
  while (open) {
    errno = 0;
    const dirent* const entry = ::readdir(open.get());
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.push_back(before + entry->d_name);
  }
  if (errno == ENOMEM) throw std::bad_alloc();
  if (errno != 0) throw CaptureError(fmt::format("{}: cannot list the folder: {}", folder, std::generic_category().message(errno)));
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

FileSequence::FileSequence(const std::vector<std::string>& paths) {
  if (paths.empty()) throw CaptureError("no capture file is given");
  if (std::count(paths.begin(), paths.end(), "-") > 1) throw CaptureError("standard input ('-') is given twice");
  entries_.reserve(paths.size());
  for (const std::string& path : paths) {
    if (stop_requested()) break;
    is_folder(path) ? add_folder(path) : add_file(path);
  }
  const auto unreadable = [](const Entry& entry) { return entry.unreadable; };
  if (!problems_.empty() && std::all_of(entries_.begin(), entries_.end(), unreadable)) throw CaptureError(problems_);
  const bool sizes_known =
      std::all_of(entries_.begin(), entries_.end(), [](const Entry& entry) { return entry.size != 0 || entry.unreadable; });
  for (const Entry& entry : entries_) total_size_ += sizes_known ? entry.size : 0;
  std::stable_sort(entries_.begin(), entries_.end(), [](const Entry& left, const Entry& right) {
    if (left.has_first != right.has_first) return right.has_first;
    return left.has_first && left.first.time < right.first.time;
  });
}

/// One that cannot be opened throws; one that is no capture is a problem like a damaged one. After a stop it is neither.
void FileSequence::add_file(const std::string& path) {
  Entry entry;
  entry.span.path = path;
  bool opened = false;
  try {
    auto bytes = open_bytes(path);
    opened = true;
    look_at(entry, std::move(bytes));
  } catch (const CaptureError& error) {
    if (!opened && !stop_requested()) throw;
    if (!stop_requested()) note_problem(error.what());
    entry.unreadable = true;
  }
  entries_.push_back(std::move(entry));
}

/// Of the files in a folder, one that cannot be opened is a problem, one that is no capture a note.
void FileSequence::add_folder(const std::string& path) {
  const std::size_t before = entries_.size();
  const std::size_t problems_before = problems_.size();
  for (const std::string& file : names_in(path)) {
    if (stop_requested()) return;
    if (!is_regular(file)) {
      note(fmt::format("{}: passed over: is no file", file));
      continue;
    }
    Entry entry;
    entry.span.path = file;
    try {
      look_at(entry, open_bytes(file));
      entries_.push_back(std::move(entry));
    } catch (const NotACapture& error) {
      note(fmt::format("{} (passed over)", error.what()));
    } catch (const CaptureError& error) {
      if (!stop_requested()) note_problem(error.what());
    }
  }
  if (entries_.size() == before && problems_.size() == problems_before)
    note_problem(fmt::format("{}: no capture is in this folder (folders within it are not looked into)", path));
}

/// Learns the time of the first frame. Throws as open_capture() does.
void FileSequence::look_at(Entry& entry, std::unique_ptr<ByteProvider> bytes) {
  const std::string& path = entry.span.path;
  struct stat status {};
  const bool regular = path != "-" && ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
  if (regular && status.st_size > 0) entry.size = static_cast<std::uint64_t>(status.st_size);
  entry.source = open_capture(ByteWindow(std::move(bytes)), path);
  entry.has_first = entry.source->read({&entry.first, 1}) == 1;
  if (regular) entry.source.reset();
}

void FileSequence::note(std::string line) {
  if (notes_.size() < kMostNotes) notes_.push_back(std::move(line));
}

void FileSequence::note_problem(const std::string& line) { problems_ += (problems_.empty() ? "" : "\n") + line; }

/// Makes the current entry's source ready; false if it has none (any more).
bool FileSequence::open_current() {
  Entry& entry = entries_[current_];
  if (entry.unreadable) return false;
  if (entry.source) return true;
  entry.has_first = false;
  try {
    entry.source = open_file(entry.span.path);
  } catch (const CaptureError& error) {
    note_problem(error.what());
    entry.unreadable = true;
  }
  return !entry.unreadable;
}

void FileSequence::close_current() {
  Entry& entry = entries_[current_++];
  done_size_ += entry.size;
  if (!entry.source) return;
  if (const SourceStatus status = entry.source->status(); status.damaged) note_problem(status.what);
  for (const std::uint16_t link_type : entry.source->link_types()) link_types_.note(link_type);
  interface_base_ += entry.source->interface_count();
  kernel_drops_ += entry.source->dropped_by_kernel();
  interface_drops_ += entry.source->dropped_by_interface();
  entry.source.reset();
}

std::size_t FileSequence::read(std::span<Frame> batch) {
  if (batch.empty()) return 0;
  while (current_ < entries_.size() && !stop_requested()) {
    std::size_t count = 0;
    if (open_current()) {
      Entry& entry = entries_[current_];
      if (std::exchange(entry.has_first, false)) {
        batch[0] = entry.first;
        count = 1;
      } else {
        count = entry.source->read(batch);
      }
    }
    if (count == 0) {
      close_current();
      continue;
    }
    if (interface_base_ != 0) {
      for (Frame& frame : batch.first(count)) frame.interface += interface_base_;
    }
    count_frames(count);
    return count;
  }
  return 0;
}

RecordReader* FileSequence::reader_at_hand() {
  if (current_ >= entries_.size() || stop_requested() || !open_current()) return nullptr;
  Entry& entry = entries_[current_];
  return entry.has_first ? nullptr : dynamic_cast<RecordReader*>(entry.source.get());
}

void FileSequence::count_frames(std::uint64_t frames) noexcept {
  if (frames == 0) return;
  FileSpan& span = entries_[current_].span;
  if (span.first_frame == 0) span.first_frame = frames_ + 1;
  span.frames += frames;
  frames_ += frames;
}

SourceStatus FileSequence::status() const { return {!problems_.empty(), problems_}; }

double FileSequence::progress() const noexcept {
  if (current_ == entries_.size()) return 1.0;
  if (total_size_ == 0) return -1.0;
  const Entry& entry = entries_[current_];
  const double share = entry.source ? std::max(entry.source->progress(), 0.0) : 0.0;
  return (static_cast<double>(done_size_) + share * static_cast<double>(entry.size)) / static_cast<double>(total_size_);
}

std::vector<std::uint16_t> FileSequence::link_types() const {
  if (current_ == entries_.size() || !entries_[current_].source) return link_types_.in_order();
  LinkTypes all = link_types_;
  for (const std::uint16_t link_type : entries_[current_].source->link_types()) all.note(link_type);
  return all.in_order();
}

std::uint32_t FileSequence::interface_count() const noexcept {
  if (current_ == entries_.size() || !entries_[current_].source) return interface_base_;
  return interface_base_ + entries_[current_].source->interface_count();
}

std::string FileSequence::name() const {
  return entries_.size() == 1 ? entries_.front().span.path : fmt::format("{} files", entries_.size());
}

std::uint64_t FileSequence::dropped_by_kernel() const {
  const bool reading = current_ < entries_.size() && entries_[current_].source;
  return kernel_drops_ + (reading ? entries_[current_].source->dropped_by_kernel() : 0);
}

std::uint64_t FileSequence::dropped_by_interface() const {
  const bool reading = current_ < entries_.size() && entries_[current_].source;
  return interface_drops_ + (reading ? entries_[current_].source->dropped_by_interface() : 0);
}

std::vector<FileSpan> FileSequence::files() const {
  std::vector<FileSpan> spans;
  spans.reserve(entries_.size());
  for (const Entry& entry : entries_) spans.push_back(entry.span);
  return spans;
}

std::unique_ptr<FileSequence> open_files(const std::vector<std::string>& paths) { return std::make_unique<FileSequence>(paths); }

}  // namespace finwait::capture
