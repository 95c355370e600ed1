/** This machine's camera, microphone and screen as the page shows them: wanted, there, or in trouble. Shared by the check
 *  and the call, so that what was set up before is what is sent. */
import { realClock } from '../protocol/clock'
import { Asking, UNANSWERED } from './asking'
import { allowed, type Chosen, camera, type Devices, list, microphone, screen, type Trouble } from './devices'
import { listen } from './sound'

const KEY = 'tram.devices'

export class Own {
  camera = $state.raw<MediaStreamTrack | null>(null)
  microphone = $state.raw<MediaStreamTrack | null>(null)
  screen = $state.raw<MediaStreamTrack | null>(null)
  /** The microphone may be there and muted. */
  muted = $state(false)
  troubles = $state<{ camera?: Trouble | undefined; microphone?: Trouble | undefined }>({})
  asking = $state(false)
  /** Asked for a good while: nobody need wait for it. */
  late = $state(false)
  devices = $state.raw<Devices>({ cameras: [], microphones: [], speakers: [] })
  chosen = $state<Chosen>({})
  level = $state(0)
  /** Somebody was heard clearly since the microphone was opened. */
  heard = $state(false)
  #facing: 'user' | 'environment' = 'user'
  #deaf: () => void = () => {}
  #levels = true
  #over = false
  /** It was there and ended by itself: unplugged, or given up by a busy browser. */
  readonly #gone = { camera: false, microphone: false }
  readonly #cameras = new Asking(
    realClock,
    ({ track, trouble }) => {
      this.troubles.camera = trouble
      this.#see(track ?? null)
    },
    () => allowed('camera'),
  )
  readonly #microphones = new Asking(
    realClock,
    ({ track, trouble }) => {
      this.troubles.microphone = trouble
      this.#hear(track ?? null)
    },
    () => allowed('microphone'),
  )
  /** Called when a track that was sent has changed. */
  changed: (use: 'camera' | 'microphone' | 'screen', track: MediaStreamTrack | null) => void = () => {}

  constructor() {
    try {
      this.chosen = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Chosen
    } catch {
      // Nothing kept: the system's own devices serve.
    }
    navigator.mediaDevices?.addEventListener?.('devicechange', () => {
      void this.#list()
      // One that was pulled out is back.
      if (this.#gone.camera) this.#cameras.plugged()
      if (this.#gone.microphone) this.#microphones.plugged()
    })
  }

  /** Ask for what is wanted. The microphone first: without it there is no consult; both at once when that was `granted`
   *  before, as after a reload. */
  async start(want: { camera: boolean; microphone: boolean }, granted = false): Promise<void> {
    this.asking = true
    const late = realClock.after(UNANSWERED, () => (this.late = true))
    const sound = want.microphone ? this.startMicrophone() : Promise.resolve()
    if (!granted) await sound
    if (this.#over) return late()
    await Promise.all([sound, want.camera ? this.startCamera() : null])
    late()
    this.asking = this.late = false
    await this.#list()
  }

  startMicrophone(id = this.chosen.microphone): Promise<void> {
    return this.#microphones.begin(() => microphone(id))
  }

  startCamera(id = this.chosen.camera): Promise<void> {
    return this.#cameras.begin(() => camera(id, this.#facing))
  }

  /** Off means off: the light beside the lens goes out. */
  stopCamera(): void {
    this.#cameras.end()
    this.#see(null)
  }

  stopMicrophone(): void {
    this.#microphones.end()
    this.#hear(null)
  }

  mute(muted: boolean): void {
    this.muted = muted
    if (this.microphone) this.microphone.enabled = !muted
    this.changed('microphone', this.microphone)
  }

  async choose(change: Chosen): Promise<void> {
    this.chosen = { ...this.chosen, ...change }
    try {
      localStorage.setItem(KEY, JSON.stringify(this.chosen))
    } catch {
      // The choice then lasts for this page only.
    }
    if (change.camera && this.camera) await this.startCamera()
    if (change.microphone && this.microphone) await this.startMicrophone()
  }

  /** A phone's other camera. */
  async flip(): Promise<void> {
    this.#facing = this.#facing === 'user' ? 'environment' : 'user'
    this.chosen = { ...this.chosen, camera: undefined }
    // Many phones open one camera at a time: let go of the first before asking for the second.
    this.camera?.stop()
    await this.startCamera()
  }

  async share(): Promise<void> {
    const { track } = await screen()
    if (!track) return
    track.onended = () => this.stopShare()
    this.screen = track
    this.changed('screen', track)
  }

  stopShare(): void {
    this.screen?.stop()
    this.screen = null
    this.changed('screen', null)
  }

  /** The bar of the check is not shown in the call: nobody need measure it. */
  hideLevel(): void {
    this.#deaf()
    this.#levels = false
  }

  stop(): void {
    this.#over = true
    this.#cameras.end()
    this.#microphones.end()
    this.#deaf()
    for (const track of [this.camera, this.microphone, this.screen]) track?.stop()
    this.camera = this.microphone = this.screen = null
  }

  #see(track: MediaStreamTrack | null): void {
    this.camera?.stop()
    this.camera = track
    if (track) {
      this.#gone.camera = false
      track.contentHint = 'motion'
      track.onended = () => {
        if (this.camera !== track) return
        this.troubles.camera = 'none'
        this.#see(null)
        this.#gone.camera = true
        this.#cameras.lost()
      }
    }
    this.changed('camera', track)
  }

  #hear(track: MediaStreamTrack | null): void {
    this.#deaf()
    this.microphone?.stop()
    this.microphone = track
    this.level = 0
    this.heard = false
    if (track) {
      this.#gone.microphone = false
      track.enabled = !this.muted
      track.onended = () => {
        if (this.microphone !== track) return
        this.troubles.microphone = 'none'
        this.#hear(null)
        this.#gone.microphone = true
        this.#microphones.lost()
      }
      if (this.#levels) this.#measure(track)
    }
    this.changed('microphone', track)
  }

  #measure(track: MediaStreamTrack): void {
    try {
      this.#deaf = listen(track, (level) => {
        // Falls slowly, so that the bar can be read.
        this.level = Math.max(level, this.level * 0.85)
        if (level > 0.35) this.heard = true
      })
    } catch {
      // A machine without any way to play sound has no bar; what the microphone hears is sent all the same.
    }
  }

  async #list(): Promise<void> {
    this.devices = await list()
  }
}
