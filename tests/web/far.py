"""A call between a doctor's page and a nurse's behind a link that can be broken: all of it real.

For tests/web/test_consult_reconnect.py and bench/reconnect.py.
"""

import math
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from playwright.sync_api import Page, sync_playwright

from tests.telehealth.netns import Link, weak_link, why_not
from tests.telehealth.scene import FLAGS, CannotError
from tests.waiting import until
from tests.web.ward import NOTE_PEERS, Ward

# How many frames are decoded so far; a closed peer connection's no longer count.
COUNT = """const count = async () => {
    let frames = 0
    for (const peer of window.peers) {
      if (peer.connectionState === 'closed') continue
      for (const one of (await peer.getStats()).values())
        if (one.type === 'inbound-rtp') frames += one.framesDecoded ?? 0
    }
    return frames
  }"""
# Resolves when a few more frames than now are decoded.
MOVES = """async (more) => {
  COUNT
  for (let before = await count(), end = performance.now() + 60000; performance.now() < end; ) {
    const now = await count()
    if (now > before + more) return true
    before = Math.min(before, now)
    await new Promise((then) => setTimeout(then, 20))
  }
  return false
}""".replace("COUNT", COUNT)


# Resolves with what the page's banners say when the words are among it: they go again after some seconds, which a busy
# machine may take to look elsewhere.
SAYS = """words => { window.said = new Promise((then) => {
  const began = performance.now()
  const look = () => {
    const said = [...document.querySelectorAll('.banners')].map((one) => one.textContent).join(' ')
    if (said.includes(words) || performance.now() - began > 90000) then(said)
    else setTimeout(look, 50)
  }
  look()
}) }"""
# Resolves with the moment (ms since 1970) at which the other's picture was there again: after the last stall, when it
# has gone on for three seconds since. What was decoded late out of the buffers just after a break does not count as
# being back, and a browser notes a change of address two seconds late. Asked of what is shown: getStats, fifty times a
# second, took a machine of two cores the time it measured.
STEADY = """async () => {
  const video = () => document.querySelector('.main [data-seat] video')
  const shown = () => video()?.getVideoPlaybackQuality().totalVideoFrames ?? 0
  const began = Date.now()
  let [before, moved, back] = [shown(), began, began]
  for (;;) {
    await new Promise((then) => setTimeout(then, 15))
    const [frames, at] = [shown(), Date.now()]
    if (frames > before) {
      if (at - moved > 300 || before === 0) back = at
      moved = at
    }
    before = frames
    if (moved - back > 3000) return back
    if (at - began > 60000) return null
  }
}"""


@dataclass
class FarCall:
    """A doctor and a nurse who see each other."""

    doctor: Page
    nurse: Page
    ward: Ward
    link: Link

    def back(self, since: float) -> float:
        """Waits until both see the other move; returns the seconds since `since` (time.monotonic())."""
        for page in (self.nurse, self.doctor):
            assert page.evaluate(MOVES, 3), "no picture within a minute"
        return time.monotonic() - since

    def steady_again(self, since: float) -> float:
        """Seconds from `since` (time.time()) until both have seen the other move without a stall from then on; infinite
        when that is not within a minute."""
        pages = (self.nurse, self.doctor)
        for page in pages:
            page.evaluate(f"() => {{ window.steady = ({STEADY})() }}")
        moments = [page.evaluate("() => window.steady") for page in pages]
        return max(0.0, max(moments) / 1000 - since) if all(moments) else math.inf


def listen_for(words: str, *pages: Page) -> None:
    """From now on each page notes when it says that; see `heard`."""
    for page in pages:
        page.evaluate(SAYS, words)


def heard(page: Page) -> str:
    """What the page said when the words of `listen_for` were among it; all it says when they did not come in time."""
    return str(page.evaluate("() => window.said"))


def joins(page: Page, role: str, ward: Ward, consult: str) -> None:
    """From the check of the devices into the call or the waiting room."""
    page.goto(f"{ward.http}/ui/consult/?lang=vi&theme=light#token={ward.token(consult, role)}")
    page.get_by_role("button", name="Vào phòng").click()


@contextmanager
def far_call(folder: Path, database: str, key: str, flags: Sequence[str] = FLAGS) -> Iterator[FarCall]:
    """Both are in the room and see each other.

    Args:
        flags: of both Chromiums.

    Raises:
        CannotError: namespaces or Chromium are missing.
    """
    reason = why_not()
    if reason:
        raise CannotError(reason)
    chromium = shutil.which("chromium")
    if chromium is None:
        raise CannotError("NO CHROMIUM: install it (Debian: chromium) to test the pages")
    with ExitStack() as stack:
        link = stack.enter_context(weak_link())
        ward = Ward(folder, database, key, host=link.here)
        stack.enter_context(ward.stack)
        ward.start()
        flags = [*flags, f"--unsafely-treat-insecure-origin-as-secure={ward.http}"]
        playwright = stack.enter_context(sync_playwright())
        pages = []
        for program in (chromium, link.browser(folder, chromium)):
            browser = playwright.chromium.launch(executable_path=program, args=flags)
            stack.callback(browser.close)
            context = browser.new_context(viewport={"width": 1280, "height": 800})
            context.set_default_timeout(60_000)
            context.add_init_script(NOTE_PEERS)
            pages.append(context.new_page())
        doctor, nurse = pages
        consult = f"far-{token_hex(4)}"
        joins(doctor, "doctor", ward, consult)
        joins(nurse, "station", ward, consult)
        doctor.get_by_role("button", name="Cho vào: Đd. Nông Thị Lan").click()
        stack.callback(link.up)
        call = FarCall(doctor, nurse, ward, link)
        call.back(0.0)
        yield call


def away_for(call: FarCall, seconds: float) -> None:
    """Keeps the link silent so long, counted from when the nurse's page noticed."""
    call.link.silence()
    until(lambda: call.nurse.get_by_text("Đang nối lại,").count() > 0, "the page notices")
    noticed = time.monotonic()
    until(lambda: time.monotonic() - noticed > seconds, "the link stays away", seconds + 10, 0.2)
