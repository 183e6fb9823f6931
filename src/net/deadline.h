#pragma once
#include <chrono>
#include <memory>
#include <utility>

#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/tcp_stream.hpp>

/// Internal to net.
namespace opentrail::net {

/// A moment at which what a stream waits for is cancelled. The stream's own timeout closes the
/// socket; this leaves it open, so that the other side can still be told. Moving the moment is one
/// store: the timer looks at it when it wakes. Lives on the stream's thread and no longer than it.
class Deadline {
  using Clock = std::chrono::steady_clock;

 public:
  explicit Deadline(boost::beast::tcp_stream& stream) : state_(std::make_shared<State>(stream)) {}
  ~Deadline() {
    state_->stream = nullptr;
    stop();
  }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  /// Not for a moment before one that was set earlier and not stopped.
  void set(Clock::duration after) {
    state_->at = Clock::now() + after;
    state_->passed = false;
    if (!state_->armed) {
      wait(state_);
    }
  }
  /// The timer stays; it is cheaper to be woken once in vain than to be moved each time.
  void clear() { state_->at = Clock::time_point::max(); }
  /// Clears, and leaves the event loop nothing to wait for.
  void stop() {
    clear();
    state_->timer.cancel();
  }
  /// Bytes may have come all the same: a read that had ended already is not cancelled.
  [[nodiscard]] bool passed() const { return state_->passed; }

 private:
  /// The timer's handler may run when the Deadline is gone.
  struct State {
    explicit State(boost::beast::tcp_stream& stream_in)
        : stream(&stream_in), timer(stream_in.get_executor()) {}
    boost::beast::tcp_stream* stream;
    boost::asio::steady_timer timer;
    Clock::time_point at = Clock::time_point::max();
    bool armed = false;
    bool passed = false;
  };

  static void wait(std::shared_ptr<State> state) {
    State& now = *state;
    now.armed = true;
    now.timer.expires_at(now.at);
    now.timer.async_wait([state = std::move(state)](const boost::system::error_code&) {
      state->armed = false;
      if (state->stream == nullptr || state->at == Clock::time_point::max()) {
        return;
      }
      if (Clock::now() < state->at) {
        wait(state);
        return;
      }
      state->passed = true;
      state->stream->cancel();
    });
  }

  std::shared_ptr<State> state_;
};

}  // namespace opentrail::net
