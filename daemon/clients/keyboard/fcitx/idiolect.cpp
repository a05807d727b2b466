// Fcitx 5's door to the keyboard: hands keys, text and focus to the keyboard's process, and inserts and shows what it
// asks for. `fcitx_door.py` has the other end, and the layouts of the packets; `setup/fcitx.py` builds this file.
//
// A key waits kWait at most. A key that is not answered by then goes to the program, and the process is out of step:
// it is handed nothing, and nothing of what it says counts, until it has answered a packet that it was sent after that
// key. So no key is lost or doubled, whether the process is late, stopped, killed or not yet there.
//
// A key behind a word that waits until the program has inserted the keys before it is kept here, and forwarded behind
// the word: Fcitx sends insertions and forwarded keys in their order.

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <deque>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fcitx-utils/capabilityflags.h>
#include <fcitx-utils/event.h>
#include <fcitx-utils/handlertable.h>
#include <fcitx-utils/trackableobject.h>
#include <fcitx-utils/unixfd.h>
#include <fcitx-utils/utf8.h>
#include <fcitx/action.h>
#include <fcitx/addonfactory.h>
#include <fcitx/addonmanager.h>
#include <fcitx/candidatelist.h>
#include <fcitx/event.h>
#include <fcitx/inputcontext.h>
#include <fcitx/inputmethodengine.h>
#include <fcitx/inputpanel.h>
#include <fcitx/instance.h>
#include <fcitx/menu.h>
#include <fcitx/statusarea.h>
#include <fcitx/userinterfacemanager.h>

extern char **environ;

namespace {

using namespace fcitx;
using Clock = std::chrono::steady_clock;

#ifndef IDIOLECT_WAIT_MS
#define IDIOLECT_WAIT_MS 30
#endif
#ifndef IDIOLECT_PAUSE_MS
#define IDIOLECT_PAUSE_MS 1000
#endif
constexpr auto kWait = std::chrono::milliseconds(IDIOLECT_WAIT_MS);
constexpr auto kKept = 10 * kWait; // a key behind a word waits so long at most
constexpr auto kFirstPause = std::chrono::milliseconds(IDIOLECT_PAUSE_MS); // before an ended process is started again; doubles each time
constexpr auto kLongestPause = 60 * kFirstPause;
constexpr size_t kMaxPacket = 64 * 1024;
constexpr int kMaxPackets = 16;        // taken at a time, so that a process that floods holds nobody up
constexpr size_t kMaxName = 200;       // bytes of a program's name
constexpr unsigned int kMaxText = 4000; // characters before the cursor, and behind it
constexpr uint64_t kDirect = 1ULL << 63; // beside Fcitx's capabilities of a program
constexpr uint32_t kRelease = 1U << 30;
constexpr uint32_t kStates = (1U << 29) - 1; // modifiers as X and IBus have them
constexpr int kKeycodeOffset = 8;            // X's numbers of keys, above those of evdev

/// The process's answers to a key.
enum Answer : uint8_t { kPassedOn, kUsedUp, kNotYetKnown };

/// A key, or its release, that the process has not decided about.
struct KeptKey {
    uint32_t number;
    Key key;
    bool isRelease;
};

/// A packet to the process: the letter of its kind, numbers, and a text that ends it.
class Packet {
public:
    explicit Packet(char kind) : data_(1, kind) {}

    template <typename... Numbers>
    Packet &add(Numbers... numbers) {
        static_assert((std::is_arithmetic_v<Numbers> && ...), "a text is added as a view");
        (data_.append(reinterpret_cast<const char *>(&numbers), sizeof(numbers)), ...);
        return *this;
    }

    Packet &add(std::string_view text) {
        data_.append(text);
        return *this;
    }

    const std::string &data() const { return data_; }

private:
    std::string data_;
};

/// Reads the numbers of a packet from the process. A packet that is too short has `good()` false.
class Reader {
public:
    explicit Reader(std::string_view data) : rest_(data) {}

    template <typename Number>
    Number number() {
        Number value{};
        good_ = good_ && rest_.size() >= sizeof(value);
        if (good_) {
            std::memcpy(&value, rest_.data(), sizeof(value));
            rest_.remove_prefix(sizeof(value));
        }
        return value;
    }

    std::string_view rest() const { return rest_; }
    bool good() const { return good_; }

private:
    std::string_view rest_;
    bool good_ = true;
};

/// The keyboard's process, and the socket that joins it to this one: no other process can reach either end.
class Process {
public:
    /// Start it; the command is in a file, one word a line.
    bool start() {
        std::vector<std::string> words;
        std::ifstream file(IDIOLECT_COMMAND);
        for (std::string line; std::getline(file, line);) {
            words.push_back(line);
        }
        int ends[2];
        if (words.empty() || ::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
            return false;
        }
        end_.give(ends[0]);
        UnixFD theirs;
        theirs.give(ends[1]);
        std::vector<char *> arguments;
        for (auto &word : words) {
            arguments.push_back(word.data());
        }
        arguments.push_back(nullptr);
        posix_spawn_file_actions_t files;
        posix_spawnattr_t attributes;
        posix_spawn_file_actions_init(&files);
        posix_spawn_file_actions_adddup2(&files, ends[1], STDIN_FILENO);
        posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
        posix_spawnattr_init(&attributes);
        sigset_t none;
        sigemptyset(&none);
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
        pid_t pid; // Fcitx reaps its children
        const int failed = ::posix_spawn(&pid, arguments[0], &files, &attributes, arguments.data(), environ);
        posix_spawn_file_actions_destroy(&files);
        posix_spawnattr_destroy(&attributes);
        if (failed) {
            end_.reset();
        }
        return !failed;
    }

    /// End it, once it has sent what it has learned.
    void end() { end_.reset(); }
    bool runs() const { return end_.isValid(); }
    int fd() const { return end_.fd(); }

    bool send(const Packet &packet) const {
        const auto &data = packet.data();
        return ::send(fd(), data.data(), data.size(), MSG_DONTWAIT | MSG_NOSIGNAL) == static_cast<ssize_t>(data.size());
    }

    /// Return the next packet, an empty one if none is there; none where the process has ended, or says too much.
    std::optional<std::string> receive() const {
        std::string data(kMaxPacket, '\0');
        const auto size = ::recv(fd(), data.data(), data.size(), MSG_DONTWAIT | MSG_TRUNC);
        if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
            return std::string();
        }
        if (size <= 0 || static_cast<size_t>(size) > kMaxPacket) {
            return std::nullopt;
        }
        data.resize(size);
        return data;
    }

private:
    UnixFD end_;
};

/// Take the text up to the next zero.
std::string takeText(std::string_view &texts) {
    const auto end = std::min(texts.find('\0'), texts.size());
    std::string found(texts.substr(0, end));
    texts.remove_prefix(std::min(end + 1, texts.size()));
    return found;
}

/// A line of the menu, which calls a function where it is chosen.
class Line final : public SimpleAction {
public:
    explicit Line(std::function<void()> chosen) : chosen_(std::move(chosen)) {}
    void activate(InputContext *) override { chosen_(); }

private:
    std::function<void()> chosen_;
};

class Keyboard final : public InputMethodEngine {
public:
    explicit Keyboard(Instance *instance) : instance_(instance) {
        watch(EventType::InputContextSurroundingTextUpdated, [this] { report(); });
        watch(EventType::InputContextCapabilityChanged, [this] { hand(Packet('C').add(flags())); });
        watch(EventType::InputContextCursorRectChanged, [this] { tellCursor(); });
    }

    void activate(const InputMethodEntry &, InputContextEvent &event) override { focus(event.inputContext()); }

    void deactivate(const InputMethodEntry &, InputContextEvent &event) override {
        if (auto *context = context_.get(); context != nullptr && context == event.inputContext()) {
            giveUpKept();
            hide();
            hand(Packet('U'));
            context_.unwatch();
        }
    }

    void reset(const InputMethodEntry &, InputContextEvent &event) override {
        if (event.inputContext() == context_.get()) {
            hand(Packet('X'));
        }
    }

    void keyEvent(const InputMethodEntry &, KeyEvent &event) override {
        auto *context = event.inputContext();
        if (context != context_.get()) {
            focus(context);
        }
        const Key &key = event.rawKey();
        const bool isAlt = key.sym() == FcitxKey_Alt_L || key.sym() == FcitxKey_Alt_R;
        if (isSecret(*context)) {
            return giveUpKept();
        }
        if (event.isRelease() && !isAlt) {
            return;
        }
        if (isUsed(key, event.isRelease())) {
            event.filterAndAccept();
        }
    }

    void click(uint32_t index) { hand(Packet('L').add(index)); }

private:
    /// Call a function for each event of a kind in the field that has the focus.
    template <typename Function>
    void watch(EventType type, Function function) {
        watchers_.push_back(instance_->watchEvent(type, EventWatcherPhase::Default, [this, function](Event &event) {
            auto *context = static_cast<InputContextEvent &>(event).inputContext();
            if (context == context_.get() && context->hasFocus()) {
                function();
            }
        }));
    }

    /// Return whether a field's text is for nobody's eyes: nothing of it is handed on.
    static bool isSecret(const InputContext &context) {
        return context.capabilityFlags().testAny(CapabilityFlag::PasswordOrSensitive);
    }

    /// Return what the program can do, and whether it speaks Fcitx's own protocol.
    uint64_t flags() const {
        const auto *context = context_.get();
        const bool isDirect = std::string_view(context->frontend()) == "dbus";
        return context->capabilityFlags().toInteger() | (isDirect ? kDirect : 0);
    }

    void focus(InputContext *context) {
        if (context != context_.get()) {
            giveUpKept();
        }
        context_ = context->watch();
        focus_++;
        if (keepInStep()) {
            tellState();
        }
    }

    void tellState() {
        if (auto *context = context_.get()) {
            Packet packet('F');
            packet.add(flags(), focus_);
            for (const uint8_t byte : context->uuid()) {
                packet.add(byte);
            }
            hand(packet.add(std::string_view(context->program()).substr(0, kMaxName)));
            report();
            tellCursor();
        } else {
            hand(Packet('U'));
        }
    }

    void report() {
        auto *context = context_.get();
        const auto &around = context->surroundingText();
        if (!around.isValid() || isSecret(*context) || !utf8::validate(around.text())) {
            return;
        }
        const auto &text = around.text();
        const auto length = static_cast<unsigned int>(utf8::length(text));
        const auto cursor = std::min(around.cursor(), length);
        const auto from = cursor - std::min(cursor, kMaxText);
        const auto to = cursor + std::min(length - cursor, kMaxText);
        const auto begin = utf8::ncharByteLength(text.begin(), from);
        const auto size = utf8::ncharByteLength(text.begin() + begin, to - from);
        hand(Packet('R')
                 .add(cursor - from, std::clamp(around.anchor(), from, to) - from)
                 .add(std::string_view(text).substr(begin, size)));
    }

    void tellCursor() {
        const auto &place = context_.get()->cursorRect();
        hand(Packet('M').add(place.left(), place.top(), place.width(), place.height()));
    }

    // The process

    /// Hand a packet to the process, if it is in step.
    void hand(const Packet &packet) {
        if (keepInStep() && !process_.send(packet)) {
            loseStep();
        }
    }

    /// Return whether the process is in step. Start it where it does not run, and ask it to come into step.
    bool keepInStep() {
        if (hasEnded_) {
            hasEnded_ = false;
            source_.reset();
            process_.end();
        }
        if (const auto now = Clock::now(); !process_.runs() && now >= start_) {
            if (now >= start_ + kLongestPause) { // it ran well
                pause_ = kFirstPause;
            }
            start_ = now + pause_;
            pause_ = std::min<Clock::duration>(pause_ * 2, kLongestPause);
            if (process_.start()) {
                source_ = instance_->eventLoop().addIOEvent(
                    process_.fd(), {IOEventFlag::In, IOEventFlag::Err, IOEventFlag::Hup},
                    [this](EventSourceIO *, int, IOEventFlags) {
                        receive();
                        return true;
                    });
                loseStep();
            }
        }
        if (process_.runs() && !inStep_ && !hasAsked_) {
            hasAsked_ = process_.send(Packet('S').add(asked_));
        }
        return inStep_;
    }

    void loseStep() {
        hide();
        inStep_ = false;
        for (const auto &kept : std::exchange(kept_, {})) {
            forward(kept);
        }
        asked_ = ++number_;
        hasAsked_ = process_.runs() && !hasEnded_ && process_.send(Packet('S').add(asked_));
    }

    /// Forward the keys that wait for the process, and go on without it.
    void giveUpKept() {
        if (!kept_.empty()) {
            loseStep();
        }
    }

    void forward(const KeptKey &kept) {
        if (auto *context = context_.get()) {
            context->forwardKey(kept.key, kept.isRelease);
        }
    }

    /// Hand on a key, and return whether the program is not to get it now.
    bool isUsed(const Key &key, bool isRelease) {
        if (!keepInStep()) {
            return false;
        }
        const auto end = Clock::now() + kWait;
        asked_ = ++number_;
        used_.reset();
        key_ = {asked_, key, isRelease};
        const uint32_t states = (static_cast<uint32_t>(key.states()) & kStates) | (isRelease ? kRelease : 0);
        const auto code = static_cast<uint32_t>(std::max(key.code() - kKeycodeOffset, 0));
        hand(Packet('K').add(asked_, static_cast<uint32_t>(key.sym()), code, states));
        while (inStep_ && !used_) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
            pollfd waited{process_.fd(), POLLIN, 0};
            const int ready = ::poll(&waited, 1, static_cast<int>(std::max<int64_t>(left, 0)));
            if (ready > 0) {
                receive();
            }
            if (left <= 0 && inStep_ && !used_) {
                loseStep();
            }
        }
        return used_.value_or(false);
    }

    /// Keep the key that was handed on last.
    void keep() {
        kept_.push_back(key_);
        const auto end = now(CLOCK_MONOTONIC) + std::chrono::microseconds(kKept).count();
        timer_ = instance_->eventLoop().addTimeEvent(CLOCK_MONOTONIC, end, 0, [this](EventSourceTime *, uint64_t) {
            giveUpKept();
            return true;
        });
    }

    void receive() {
        for (int taken = 0; !hasEnded_ && taken < kMaxPackets; taken++) {
            const auto packet = process_.receive();
            if (packet && packet->empty()) {
                return;
            }
            if (!packet || !take(*packet)) {
                hasEnded_ = true; // the rest is done outside of the event's own callback
                source_->setEnabled(false);
                loseStep();
            }
        }
    }

    /// Do what a packet of the process says. Return whether the packet could be read.
    bool take(const std::string &packet) {
        Reader reader(std::string_view(packet).substr(1));
        const auto number = reader.number<uint32_t>(); // of what is answered, or of the focus
        auto *context = inStep_ && number == focus_ ? context_.get() : nullptr;
        if (packet[0] == 'A') {
            const auto used = reader.number<uint8_t>();
            if (reader.good() && !kept_.empty() && number == kept_.front().number) {
                const auto kept = kept_.front();
                kept_.pop_front();
                if (used == kPassedOn) {
                    forward(kept);
                }
            } else if (reader.good() && number == asked_ && inStep_) {
                used_ = used != kPassedOn;
                if (used == kNotYetKnown) {
                    keep();
                }
            } else if (reader.good() && number == asked_) {
                inStep_ = true;
                tellState();
            }
        } else if (packet[0] == 'I') {
            const auto replaced = reader.number<uint32_t>();
            if (reader.good() && context != nullptr) {
                if (replaced > 0) {
                    context->deleteSurroundingText(-static_cast<int>(replaced), replaced);
                }
                context->commitString(std::string(reader.rest()));
            }
        } else if (packet[0] == 'W') {
            if (reader.good() && context != nullptr) {
                show(*context, reader.rest());
            }
        } else if (packet[0] == 'N') {
            if (reader.good() && context != nullptr) {
                showMenu(*context, reader.rest());
            }
        } else {
            return false;
        }
        return reader.good();
    }

    // The menu and the window

    /// Show lines: each is a name, a text, and whether it is checked, "" where it cannot be; the first is the menu's top.
    void showMenu(InputContext &context, std::string_view texts) {
        lines_.clear();
        menu_ = std::make_unique<Menu>();
        while (!texts.empty()) {
            const auto name = takeText(texts), text = takeText(texts), checked = takeText(texts);
            auto choose = [this, name] { hand(Packet('P').add(std::string_view(name))); };
            auto &line = lines_.emplace_back(std::make_unique<Line>(choose));
            line->setShortText(text);
            line->setCheckable(!checked.empty());
            line->setChecked(checked == "1");
            instance_->userInterfaceManager().registerAction(line.get());
            if (lines_.size() > 1) {
                menu_->addAction(line.get());
            }
        }
        if (!lines_.empty()) {
            lines_[0]->setMenu(menu_.get());
            context.statusArea().addAction(StatusGroup::InputMethod, lines_[0].get());
        }
        context.updateUserInterface(UserInterfaceComponent::StatusArea);
    }

    /// Show entries, or nothing: each is a label and a text, both ended by a zero; a note has no label.
    void show(InputContext &context, std::string_view entries);

    void hide() {
        if (auto *context = context_.get(); context != nullptr && isShown_) {
            show(*context, {});
        }
    }

    Instance *instance_;
    std::vector<std::unique_ptr<HandlerTableEntry<EventHandler>>> watchers_;
    TrackableObjectReference<InputContext> context_; // the field that has the focus
    uint32_t focus_ = 0;                             // how often the focus came

    Process process_;
    std::unique_ptr<EventSourceIO> source_;
    bool hasEnded_ = false;
    Clock::time_point start_ = Clock::now(); // not before this is it started
    Clock::duration pause_ = kFirstPause;
    bool inStep_ = false;
    bool hasAsked_ = false; // it was asked to come into step
    uint32_t number_ = 0;
    uint32_t asked_ = 0; // the number of what it was asked last
    std::optional<bool> used_;
    KeptKey key_{0, Key(), false}; // that was handed on last
    std::deque<KeptKey> kept_;
    std::unique_ptr<EventSourceTime> timer_; // for the kept keys
    bool isShown_ = false;
    std::unique_ptr<Menu> menu_;
    std::vector<std::unique_ptr<Line>> lines_;
};

class Entry final : public CandidateWord {
public:
    Entry(Keyboard *keyboard, const std::string &label, const std::string &text, uint32_t index)
        : CandidateWord(Text(text)), keyboard_(keyboard), index_(index) {
        setCustomLabel(Text(label));
    }

    void select(InputContext *) const override { keyboard_->click(index_); }

private:
    Keyboard *keyboard_;
    uint32_t index_;
};

void Keyboard::show(InputContext &context, std::string_view entries) {
    auto &panel = context.inputPanel();
    panel.reset();
    isShown_ = !entries.empty();
    auto list = std::make_unique<CommonCandidateList>();
    list->setLayoutHint(CandidateLayoutHint::Horizontal);
    for (uint32_t index = 0; !entries.empty(); index++) {
        const auto label = takeText(entries), text = takeText(entries);
        if (label.empty()) {
            panel.setAuxDown(Text(text));
        } else {
            list->append<Entry>(this, label, text, index);
        }
    }
    if (list->totalSize() > 0) {
        list->setPageSize(list->totalSize());
        panel.setCandidateList(std::move(list));
    }
    context.updateUserInterface(UserInterfaceComponent::InputPanel);
}

class Factory final : public AddonFactory {
public:
    AddonInstance *create(AddonManager *manager) override { return new Keyboard(manager->instance()); }
};

} // namespace

FCITX_ADDON_FACTORY(Factory)
