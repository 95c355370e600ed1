// A bare browser participant: the protocol from its text, no UI. Tests drive it by `call` and look at its state.
'use strict'
class Call {
  constructor(url, token, options = {}) {
    Object.assign(this, { url, token, resume: null, seat: null, room: null, slots: [], log: [], chat: [], vitals: [], flows: {},
      quality: {}, pc: null, number: 0, peers: new Map(), medias: new Map(), joins: 0, connected: 0, closed: null, stopped: false,
      firstFrame: null, answers: new Map(), channels: {}, times: {} })
    this.options = { audio: 2, video: 2, codec: 'VP8', simulcast: false, send: true, kbps: 0, ...options }
    this.started = performance.now()
  }
  async open() {
    if (this.options.send && !this.stream) {
      this.stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 640, height: 480, frameRate: 30 } })
    }
    this.started = performance.now()
    this.socket()
  }
  socket() {
    if (this.stopped) return
    const ws = this.ws = new WebSocket(this.url)
    ws.onopen = () => ws.send(JSON.stringify({ type: 'hello', versions: [1], client: 'test page',
      ...(this.resume ? { resume: this.resume } : { token: this.token }) }))
    ws.onmessage = e => { this.heard = performance.now(); this.take(JSON.parse(e.data)) }
    const again = () => { if (ws !== this.ws || this.closed) return; this.ws = null; clearInterval(this.pinging); clearInterval(watch); setTimeout(() => this.socket(), 150) }
    ws.onclose = again
    // A dead path says nothing for minutes: two pings without an answer are enough, and so is a socket that does not open.
    this.heard = performance.now()
    const watch = setInterval(() => { if (performance.now() - this.heard > 4500) { again(); ws.close() } }, 250)
  }
  say(message) { if (this.ws && this.ws.readyState === 1) this.ws.send(JSON.stringify(message)) }
  take(m) {
    this.log.push(m)
    switch (m.type) {
      case 'welcome':
        this.seat = m.seat; this.resume = m.resume; this.rights = m.rights; this.joins++; this.ice = m.ice; this.resumed = m.resumed; this.standing = m.pc || 0
        clearInterval(this.pinging)
        this.pinging = setInterval(() => this.say({ type: 'ping', at: performance.now() }), m.limits.ping_seconds * 1000)
        break
      case 'room': {
        this.room = m
        const me = m.people.find(p => p.seat === this.seat)
        for (const p of m.people) if (m.lead === this.seat && p.presence === 'waiting' && this.options.admit !== false) this.say({ type: 'admit', seat: p.seat })
        if (me && me.presence === 'present' && !this.offering && (!this.pc || this.standing !== this.number && this.offeredFor !== this.joins || ['failed', 'closed'].includes(this.pc.connectionState))) this.offer()
        break
      }
      case 'answer': { const f = this.answers.get(m.pc); if (f) f(m.sdp); break }
      case 'pc':
        if (m.state === 'connected') { this.connected = m.pc; for (const [n, pc] of this.peers) if (n < m.pc) { pc.close(); this.peers.delete(n) } }
        else if (m.pc === this.number) this.offer()
        break
      case 'slots': this.slots = m.slots; break
      case 'flow': this.flows[m.seat + '/' + m.use] = m; break
      case 'quality': this.quality[m.seat] = m; break
      case 'chat_line': if (!this.chat.some(c => c.n === m.n)) this.chat.push(m); break
      case 'reconnect': this.offer(); break
      case 'redirect': this.url = m.url; break
      case 'bye': if (!m.retry) this.closed = m.code; break
    }
  }
  async offer() {
    this.offering = true; this.offeredFor = this.joins
    const number = this.number = Math.max(this.number + 1, Math.floor(Date.now() / 1000))
    const pc = this.pc = new RTCPeerConnection({ iceServers: this.ice || [], bundlePolicy: 'max-bundle', iceTransportPolicy: this.options.relay ? 'relay' : 'all' })
    this.peers.set(number, pc)
    const uses = []
    const caps = kind => RTCRtpReceiver.getCapabilities(kind).codecs.filter(c => kind === 'audio' ? c.mimeType === 'audio/opus' :
      ['video/VP8', 'video/H264', 'video/rtx'].includes(c.mimeType)).sort((a, b) => (b.mimeType.endsWith(this.options.codec)) - (a.mimeType.endsWith(this.options.codec)))
    const add = (what, direction, use, extra = {}) => {
      const t = pc.addTransceiver(what, { direction, ...extra })
      const kind = typeof what === 'string' ? what : what.kind
      try { t.setCodecPreferences(caps(kind)) } catch (e) { this.log.push({ type: 'error', error: String(e) }) }
      uses.push([t, use])
      return t
    }
    if (this.options.send) {
      if (this.rights.includes('send-audio')) add(this.stream.getAudioTracks()[0], 'sendonly', 'microphone')
      if (this.rights.includes('send-video')) {
        const sendEncodings = this.options.simulcast ? [{ rid: 'l', scaleResolutionDownBy: 4 }, { rid: 'm', scaleResolutionDownBy: 2 }, { rid: 'h' }] : [{}]
        add(this.stream.getVideoTracks()[0], 'sendonly', 'camera', { sendEncodings })
        add('video', 'sendonly', 'screen')
      }
    }
    for (let i = 0; i < this.options.audio; i++) add('audio', 'recvonly', 'slot-audio')
    for (let i = 0; i < this.options.video; i++) add('video', 'recvonly', 'slot-video')
    const channels = { vitals: pc.createDataChannel('vitals', { ordered: false, maxRetransmits: 0 }), talk: pc.createDataChannel('talk') }
    channels.vitals.onmessage = e => { this.vitals.push(JSON.parse(e.data)); if (this.vitals.length > 500) this.vitals.shift() }
    channels.talk.onmessage = e => this.take(JSON.parse(e.data))
    this.channels = channels
    pc.onicecandidate = e => e.candidate && this.say({ type: 'candidate', pc: number, candidate: e.candidate.candidate, mid: e.candidate.sdpMid || '0' })
    pc.ontrack = e => this.show(e)
    pc.onconnectionstatechange = () => {
      this.log.push({ type: 'state', pc: number, state: pc.connectionState, at: performance.now() - this.started })
      if (pc === this.pc && ['failed', 'disconnected'].includes(pc.connectionState) && !this.closed) this.offer()
    }
    await pc.setLocalDescription()
    const answer = new Promise(resolve => this.answers.set(number, resolve))
    this.say({ type: 'offer', pc: number, sdp: pc.localDescription.sdp, lines: uses.map(([t, use]) => ({ mid: t.mid, use })) })
    this.offering = false
    const sdp = await answer
    if (pc.signalingState === 'closed') return
    await pc.setRemoteDescription({ type: 'answer', sdp })
    this.say({ type: 'media', microphone: !!this.options.send, camera: !!this.options.send, screen: false })
  }
  show(e) {
    const mid = e.transceiver.mid
    const el = document.createElement(e.track.kind)
    el.autoplay = true; el.playsInline = true; el.id = e.track.kind + mid + '-' + this.number
    el.srcObject = new MediaStream([e.track])
    document.getElementById('videos').append(el)
    this.medias.set(mid, el)
    if (e.track.kind === 'video') el.requestVideoFrameCallback(() => { if (this.firstFrame === null) this.firstFrame = performance.now() - this.started })
    el.play().catch(() => {})
  }
  async stats() {
    const out = { in: [], out: [], pair: null }
    if (!this.pc) return out
    const report = await this.pc.getStats()
    report.forEach(s => {
      if (s.type === 'inbound-rtp') out.in.push({ kind: s.kind, mid: s.mid, packets: s.packetsReceived, lost: s.packetsLost, bytes: s.bytesReceived,
        codec: (report.get(s.codecId) || {}).mimeType, frames: s.framesDecoded || 0, dropped: s.framesDropped || 0, width: s.frameWidth, height: s.frameHeight, freezes: s.freezeCount, frozen: s.totalFreezesDuration,
        energy: s.totalAudioEnergy, concealed: s.concealedSamples, samples: s.totalSamplesReceived, silent: s.silentConcealedSamples, plis: s.pliCount, nacks: s.nackCount, keys: s.keyFramesDecoded, jitter: s.jitter, delay: s.jitterBufferDelay, emitted: s.jitterBufferEmittedCount, fec: s.fecPacketsReceived })
      if (s.type === 'outbound-rtp') out.out.push({ kind: s.kind, rid: s.rid, mid: s.mid, bytes: s.bytesSent, frames: s.framesEncoded || 0, width: s.frameWidth, height: s.frameHeight,
        target: s.targetBitrate, keys: s.keyFramesEncoded, nacks: s.nackCount, plis: s.pliCount, limit: s.qualityLimitationReason, encode: s.totalEncodeTime, retransmitted: s.retransmittedPacketsSent, again: s.retransmittedBytesSent, packets: s.packetsSent })
      if (s.type === 'candidate-pair' && s.nominated) out.pair = { local: (report.get(s.localCandidateId) || {}).candidateType, remote: (report.get(s.remoteCandidateId) || {}).address, rtt: s.currentRoundTripTime, out: s.availableOutgoingBitrate }
    })
    return out
  }
  pixels(mid) { // mean and spread of the picture shown on a slot, by a canvas
    const v = this.medias.get(mid)
    if (!v || !v.videoWidth) return null
    const c = document.createElement('canvas'); c.width = 64; c.height = 48
    const g = c.getContext('2d'); g.drawImage(v, 0, 0, 64, 48)
    const d = g.getImageData(0, 0, 64, 48).data
    let n = 0, sum = 0, square = 0, r = 0, gr = 0, b = 0
    for (let i = 0; i < d.length; i += 4) { const y = (d[i] + d[i + 1] + d[i + 2]) / 3; n++; sum += y; square += y * y; r += d[i]; gr += d[i + 1]; b += d[i + 2] }
    return { mean: sum / n, spread: Math.sqrt(square / n - (sum / n) ** 2), r: r / n, g: gr / n, b: b / n, width: v.videoWidth, height: v.videoHeight }
  }
  leave() { this.closed = 'left'; this.say({ type: 'leave' }); for (const pc of this.peers.values()) pc.close(); this.stream?.getTracks().forEach(t => t.stop()) }
}
window.join = (url, token, options) => { window.call = new Call(url, token, options); return window.call.open().then(() => true) }
