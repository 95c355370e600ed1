/** How loud a track is, and a tone for the speaker. */

let context: AudioContext | null = null
function audio(): AudioContext {
  context ??= new AudioContext()
  // Started before a click a context sleeps; each use wakes it.
  if (context.state === 'suspended') void context.resume()
  return context
}

/** Linear sample levels to a bar of 0 to 1: −60 dB is nothing, −10 dB a clear voice. */
export function loudness(samples: Float32Array): number {
  let sum = 0
  for (const value of samples) sum += value * value
  const decibel = 10 * Math.log10(sum / Math.max(1, samples.length) + 1e-12)
  return Math.min(1, Math.max(0, (decibel + 60) / 50))
}

/** Calls `heard` with a level of 0 to 1 about twenty times a second. Returns the function that stops it. */
export function listen(track: MediaStreamTrack, heard: (level: number) => void): () => void {
  const source = audio().createMediaStreamSource(new MediaStream([track]))
  const analyser = audio().createAnalyser()
  analyser.fftSize = 1024
  source.connect(analyser)
  const samples = new Float32Array(analyser.fftSize)
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples)
    heard(track.enabled ? loudness(samples) : 0)
  }, 50)
  return () => {
    clearInterval(timer)
    source.disconnect()
  }
}

/** Two soft notes, as a stream for an <audio> element (so that they go where the call's voices go). Lasts `ms`. */
export function notes(ms = 1200): MediaStream {
  const out = audio().createMediaStreamDestination()
  const start = audio().currentTime
  for (const [i, hertz] of [523.25, 659.25].entries()) {
    const tone = audio().createOscillator()
    const gain = audio().createGain()
    const at = start + (i * ms) / 2000
    tone.frequency.value = hertz
    gain.gain.setValueAtTime(0, at)
    gain.gain.linearRampToValueAtTime(0.2, at + 0.03)
    gain.gain.exponentialRampToValueAtTime(0.001, at + ms / 2000)
    tone.connect(gain).connect(out)
    tone.start(at)
    tone.stop(at + ms / 2000)
  }
  return out.stream
}
