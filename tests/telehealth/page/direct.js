// Browser to browser, without a server: what the same two browsers reach over the same link.
'use strict'
window.direct = {
  async make(sends = true) {
    this.pc = new RTCPeerConnection()
    if (sends) {
      this.stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 640, height: 480, frameRate: 30 } })
      this.stream.getTracks().forEach(t => this.pc.addTrack(t, this.stream))
    } else if (this.offers) ['audio', 'video'].forEach(kind => this.pc.addTransceiver(kind, { direction: 'recvonly' }))
    this.pc.getTransceivers().forEach(t => { if (t.receiver.track.kind === 'video') t.setCodecPreferences(RTCRtpReceiver.getCapabilities('video').codecs.filter(c => ['video/VP8', 'video/rtx'].includes(c.mimeType))) })
    this.pc.ontrack = e => { const el = document.createElement(e.track.kind); el.autoplay = true; el.srcObject = new MediaStream([e.track]); document.body.append(el) }
  },
  gathered() { return new Promise(done => { if (this.pc.iceGatheringState === 'complete') done(); else this.pc.onicegatheringstatechange = () => this.pc.iceGatheringState === 'complete' && done() }) },
  async offer(sends) { this.offers = true; await this.make(sends); await this.pc.setLocalDescription(); await this.gathered(); return this.pc.localDescription.sdp },
  async answer(sdp, sends) { this.offers = false; await this.make(sends); await this.pc.setRemoteDescription({ type: 'offer', sdp }); await this.pc.setLocalDescription(); await this.gathered(); return this.pc.localDescription.sdp },
  async accept(sdp) { await this.pc.setRemoteDescription({ type: 'answer', sdp }) },
  close() { this.pc?.close(); this.stream?.getTracks().forEach(t => t.stop()) },
  stats() { return Call.prototype.stats.call({ pc: this.pc }) },
}
