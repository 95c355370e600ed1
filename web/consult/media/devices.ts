/** Camera, microphone and screen of this machine, and why one cannot be had. */

/** Each has its own words and its own way out. */
export type Trouble = 'insecure' | 'denied' | 'none' | 'busy' | 'unsupported' | 'failed'

export type Got = { track: MediaStreamTrack; trouble?: never } | { track?: never; trouble: Trouble }

export interface Chosen {
  camera?: string | undefined
  microphone?: string | undefined
  speaker?: string | undefined
}

/** Whether this page can hold a call at all. */
export function support(): Trouble | null {
  if (!globalThis.isSecureContext) return 'insecure'
  if (typeof RTCPeerConnection === 'undefined' || !navigator.mediaDevices?.getUserMedia) return 'unsupported'
  return null
}

/** The trouble behind an exception of getUserMedia (W3C Media Capture, section 10.2.1). */
export function trouble(error: unknown): Trouble {
  switch (error instanceof Error ? error.name : '') {
    case 'NotAllowedError':
    case 'SecurityError':
      return 'denied'
    case 'NotFoundError':
    case 'OverconstrainedError':
      return 'none'
    case 'NotReadableError':
    case 'AbortError':
      return 'busy'
    default:
      return 'failed'
  }
}

const CAMERA: MediaTrackConstraints = {
  width: { ideal: 1280 },
  height: { ideal: 720 },
  frameRate: { ideal: 30, max: 30 },
}
const MICROPHONE: MediaTrackConstraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true }

async function get(kind: 'audio' | 'video', constraints: MediaTrackConstraints): Promise<Got> {
  const bad = support()
  if (bad) return { trouble: bad }
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ [kind]: constraints })
    const track = stream.getTracks()[0]
    return track ? { track } : { trouble: 'none' }
  } catch (error) {
    // A device chosen yesterday that is not plugged in today: any other is better than none.
    if (constraints.deviceId && trouble(error) === 'none') {
      const { deviceId: _, ...rest } = constraints
      return get(kind, rest)
    }
    return { trouble: trouble(error) }
  }
}

/** Whether the browser gives it without asking the person. */
export async function allowed(device: 'camera' | 'microphone'): Promise<boolean> {
  try {
    return (await navigator.permissions.query({ name: device as PermissionName })).state === 'granted'
  } catch {
    return false // a browser that cannot say
  }
}

/** The camera, or why not. `facing` chooses a phone's front or back one. */
export function camera(id?: string, facing?: 'user' | 'environment'): Promise<Got> {
  const asked = { ...CAMERA }
  if (id) asked.deviceId = { exact: id }
  else if (facing) asked.facingMode = { ideal: facing }
  return get('video', asked)
}

export function microphone(id?: string): Promise<Got> {
  return get('audio', id ? { ...MICROPHONE, deviceId: { exact: id } } : MICROPHONE)
}

export const canShareScreen = (): boolean => typeof navigator.mediaDevices?.getDisplayMedia === 'function'

/** A window or screen to share; `trouble: 'denied'` also when the person changed her mind. */
export async function screen(): Promise<Got> {
  try {
    const stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { max: 15 } }, audio: false })
    const track = stream.getVideoTracks()[0]
    if (!track) return { trouble: 'none' }
    track.contentHint = 'detail' // a lab report must stay sharp; it may move less smoothly
    return { track }
  } catch (error) {
    return { trouble: trouble(error) }
  }
}

export interface Devices {
  cameras: MediaDeviceInfo[]
  microphones: MediaDeviceInfo[]
  speakers: MediaDeviceInfo[]
}

/** What is plugged in; labels are there only after a permission. */
export async function list(): Promise<Devices> {
  const all = (await navigator.mediaDevices?.enumerateDevices().catch(() => null)) ?? []
  const of = (kind: MediaDeviceKind) => all.filter((device) => device.kind === kind && device.deviceId !== '')
  return { cameras: of('videoinput'), microphones: of('audioinput'), speakers: of('audiooutput') }
}

/** Play through the chosen speaker where the browser can choose (Chromium, Firefox). */
export async function playOn(element: HTMLMediaElement, speaker: string | undefined): Promise<void> {
  if (!speaker || typeof element.setSinkId !== 'function') return
  try {
    await element.setSinkId(speaker)
  } catch {
    // Unplugged since: the system's own speaker plays.
  }
}
