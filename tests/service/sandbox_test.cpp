#include "finwait/service/sandbox.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "finwait/report/log_file.h"
#include "finwait/service/queued_destination.h"

namespace finwait::service {
namespace {

namespace fs = std::filesystem;

/// What a child process, which is free to ruin itself, has to say.
std::string told_by_child(const std::function<void(const std::function<void(const std::string&)>&)>& task) {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) return "no pipe";
  const pid_t child = fork();
  if (child == 0) {
    const auto tell = [&](const std::string& line) { (void)!write(ends[1], (line + "\n").c_str(), line.size() + 1); };
    try {
      task(tell);
    } catch (const std::exception& e) {
      tell(std::string("threw: ") + e.what());
    }
    _exit(0);
  }
  close(ends[1]);
  std::string text;
  std::array<char, 4096> part{};
  for (ssize_t got = 0; (got = read(ends[0], part.data(), part.size())) > 0;) text.append(part.data(), static_cast<std::size_t>(got));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (status != 0) text += "ended with " + std::to_string(status) + "\n";
  return text;
}

std::string outcome(const std::string& what, long result) {
  return what + ": " + (result >= 0 ? "done" : errno == EPERM || errno == EACCES ? "refused" : std::strerror(errno));
}

/// A folder in which anybody may write.
class SandboxTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) / ("finwait_sandbox_" + std::to_string(getpid()));
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "in");
    fs::create_directories(folder_ / "out");
    for (const char* name : {"", "in", "out"}) chmod((folder_ / name).c_str(), 0777);
  }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] std::string path(const std::string& name) const { return folder_ / name; }
  [[nodiscard]] std::string content(const std::string& name) const {
    std::ifstream in(folder_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  /// As a live capture does it.
  [[nodiscard]] std::vector<std::string> enter() const {
    give_up_root(choose_identity(""));
    return confine({path("in")});
  }

  fs::path folder_;
};

TEST_F(SandboxTest, nothing_can_be_read_connected_executed_or_begun) {
  const std::string told = told_by_child([&](const auto& tell) {
    const int ready = socket(AF_INET, SOCK_STREAM, 0);
    const std::vector<std::string> missing = enter();
    tell(outcome("read a file", open("/etc/passwd", O_RDONLY)));
    tell(outcome("read and write a file", open(path("in/x").c_str(), O_RDWR | O_CREAT, 0600)));
    tell(outcome("make a socket", socket(AF_INET, SOCK_STREAM, 0)));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(9);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    tell(outcome("connect", connect(ready, reinterpret_cast<const sockaddr*>(&address), sizeof address)));
    char name[] = "/bin/true";
    char* words[] = {name, nullptr};
    tell(outcome("execute", execv(name, words)));
    tell(outcome("fork", fork()));
    tell(outcome("signal another", kill(getppid(), 0)));
    tell(outcome("map code", mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0));
    tell(outcome("remove", unlink(path("in").c_str())));
    tell(outcome("make a folder", mkdir(path("in/y").c_str(), 0700)));
  });
  EXPECT_EQ(told,
            "read a file: refused\nread and write a file: refused\nmake a socket: refused\nconnect: refused\nexecute: refused\n"
            "fork: refused\nsignal another: refused\nmap code: refused\nremove: refused\nmake a folder: refused\n");
}

TEST_F(SandboxTest, files_can_be_made_in_the_folders_named_and_nowhere_else) {
  const std::string told = told_by_child([&](const auto& tell) {
    const std::vector<std::string> missing = enter();
    constexpr int kFlags = O_WRONLY | O_CREAT | O_APPEND;
    tell(outcome("inside", open(path("in/x").c_str(), kFlags, 0600)));
    if (missing.empty()) tell(outcome("outside", open(path("out/x").c_str(), kFlags, 0600)));
    for (const std::string& line : missing) tell(line);
  });
  if (told.find("Landlock") != std::string::npos) GTEST_SKIP() << told;
  EXPECT_EQ(told, "inside: done\noutside: refused\n");
}

TEST_F(SandboxTest, without_folders_no_file_can_be_opened_at_all) {
  const std::string told = told_by_child([&](const auto& tell) {
    give_up_root(choose_identity(""));
    static_cast<void>(confine({}));
    tell(outcome("inside", open(path("in/x").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600)));
  });
  EXPECT_EQ(told, "inside: refused\n");
}

TEST_F(SandboxTest, no_privilege_is_left) {
  const bool root = geteuid() == 0;
  const std::string told = told_by_child([&](const auto& tell) {
    const int status = open("/proc/self/status", O_RDONLY);
    static_cast<void>(enter());
    std::array<char, 8192> text{};
    const ssize_t length = pread(status, text.data(), text.size() - 1, 0);
    tell(std::string(text.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0))));
    tell("ids " + std::to_string(getuid()) + " " + std::to_string(geteuid()) + " " + std::to_string(getgid()));
    tell(outcome("setuid", setuid(0)));
  });
  for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapAmb"})
    EXPECT_NE(told.find(std::string(set) + ":\t0000000000000000"), std::string::npos) << set << '\n' << told;
  EXPECT_NE(told.find("NoNewPrivs:\t1"), std::string::npos);
  EXPECT_NE(told.find("Seccomp:\t2"), std::string::npos);
  EXPECT_NE(told.find("setuid: refused"), std::string::npos);
  if (!root) return;
  EXPECT_NE(told.find("CapBnd:\t0000000000000000"), std::string::npos) << told;
  EXPECT_NE(told.find("ids 65534 65534 65534"), std::string::npos) << told;
  EXPECT_NE(told.find("Groups:\t \n"), std::string::npos) << told;
}

TEST_F(SandboxTest, outputs_rotate_reopen_and_are_written_by_threads_inside) {
  const std::string told = told_by_child([&](const auto& tell) {
    give_up_root(choose_identity(""));  // first, so that files belong to who will change them
    report::LogFile plain(path("in/plain"));
    report::LogFile changing(path("in/%H.json"), {.bytes = 0, .every = 3600 * base::kSecond});
    static_cast<void>(confine({path("in")}));
    QueueOptions options;
    options.tell = tell;
    QueuedDestination first(std::move(plain), options);
    QueuedDestination second(std::move(changing), options);
    first.write("a\n", 0);
    second.write("a\n", 0);
    second.write("b\n", 3600 * base::kSecond);
    first.reopen();
    second.close(0);
    first.close(0);
    tell("over");
  });
  EXPECT_EQ(told, "over\n");
  EXPECT_EQ(content("in/plain"), "a\n");
  EXPECT_EQ(content("in/00.json"), "a\n");
  EXPECT_EQ(content("in/01.json"), "b\n");
}

TEST_F(SandboxTest, an_abort_still_ends_the_process) {
  const std::string told = told_by_child([&](const auto&) {
    static_cast<void>(enter());
    std::abort();
  });
  EXPECT_NE(told.find("ended with"), std::string::npos);
}

TEST(Identity, root_becomes_who_is_named_or_called_sudo_or_nobody) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const std::string told = told_by_child([&](const auto& tell) {
    unsetenv("SUDO_UID");
    tell(choose_identity("")->name);
    setenv("SUDO_UID", "1234", 1);
    setenv("SUDO_GID", "77", 1);
    setenv("SUDO_USER", "somebody", 1);
    const auto caller = choose_identity("");
    tell(caller->name + " " + std::to_string(caller->user) + " " + std::to_string(caller->group));
    tell(choose_identity("root")->name);
    setenv("SUDO_UID", "0", 1);
    tell(choose_identity("")->name);
    setenv("SUDO_UID", "12x", 1);
    tell(choose_identity("")->name);
    static_cast<void>(choose_identity("no such user"));
  });
  EXPECT_EQ(told, "nobody\nsomebody 1234 77\nroot\nnobody\nnobody\nthrew: --user no such user: there is no such user\n");
}

TEST(Identity, others_stay_who_they_are_and_lose_their_capabilities) {
  const std::string told = told_by_child([&](const auto& tell) {
    if (geteuid() == 0 && (setgid(4711) != 0 || setuid(4711) != 0)) tell("setuid failed");
    tell(choose_identity("") ? "somebody else" : "the same");
    give_up_root(std::nullopt);
    tell(confine({}).size() < 2 ? "confined" : "nothing works here");
    static_cast<void>(choose_identity("nobody"));
  });
  EXPECT_EQ(told, "the same\nconfined\nthrew: --user nobody: only root can become somebody else: leave it out\n");
}

}  // namespace
}  // namespace finwait::service
