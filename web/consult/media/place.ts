/** Where a peer connection lives: in the page's own document, or in a frame that was made for it.
 *
 *  A browser tells a document the addresses of its machine once, and changes only when they have been quiet for a while:
 *  two seconds in Chromium (net/base/network_change_notifier_linux.cc). A peer connection that is made in between binds
 *  to an address that is gone, and finds no way until then. A document that asks for the first time is told the
 *  addresses of this moment; such a document is an empty frame. */
export interface Place {
  make(configuration: RTCConfiguration): RTCPeerConnection
  /** What was made here is closed. */
  leave(): void
}

export const home: Place = {
  make: (configuration) => new RTCPeerConnection(configuration),
  leave() {
    // The page stays.
  },
}

/** A document that knows no address yet; `home` where a browser gives none. */
export function abroad(): Place {
  const frame = document.createElement('iframe')
  frame.hidden = true
  frame.tabIndex = -1
  document.body.append(frame)
  const there = frame.contentWindow as (Window & typeof globalThis) | null
  const leave = () => frame.remove()
  if (!there?.RTCPeerConnection) {
    leave()
    return home
  }
  return { make: (configuration) => new there.RTCPeerConnection(configuration), leave }
}
