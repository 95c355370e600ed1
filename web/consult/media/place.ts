/** Where peer connections live (docs/adr/0133). A document that may use the microphone binds each of them to the addresses
 *  its machine had when it was told of them, and Chromium tells it of a change two seconds late. One that may not use it
 *  binds them to no address at all (RFC 8828, mode 2): they send from whichever there is, so a call goes on through a
 *  change of network, and the other side learns no address of the inside. Such a document is an empty frame of the page
 *  that has no right to the devices; the tracks it sends are the page's. */

/** What a browser says of itself in `navigator.userAgentData`; only Chromium does. */
export interface Agent {
  mobile: boolean
  platform: string
}

/** Whether the echo of a loudspeaker is taken out by all that the browser plays (chrome_wide_echo_cancellation_supported in
 *  Chromium's media/media_options.gni). Others do it by what the microphone's own document plays: there the call stays. */
export function apart(agent: Agent | undefined): boolean {
  return agent !== undefined && !agent.mobile && ['Windows', 'macOS', 'Linux'].includes(agent.platform)
}

type Place = typeof globalThis

let place: Place | null = null

function frame(): Place {
  const made = document.createElement('iframe')
  made.hidden = true
  made.tabIndex = -1
  made.allow = "camera 'none'; microphone 'none'"
  document.body.append(made)
  const there = made.contentWindow as unknown as Place | null
  return there && 'RTCPeerConnection' in there ? there : globalThis
}

/** A new peer connection, in its place. */
export function connection(configuration: RTCConfiguration): RTCPeerConnection {
  place ??= apart((navigator as { userAgentData?: Agent }).userAgentData) ? frame() : globalThis
  return new place.RTCPeerConnection(configuration)
}
