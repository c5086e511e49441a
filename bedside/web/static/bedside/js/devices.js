// The device test: a picture of the camera, a level of the microphone, a sound from the speaker. Nothing leaves the browser.

const page = document.querySelector("[data-devices]");
const say = (what, word, kind) => {
  const line = page.querySelector(`[data-state="${what}"]`);
  line.textContent = page.dataset[word];
  line.dataset.kind = kind;
};

let stream = null;
let audio = null;

function stop() {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = null;
}

function follow(source) {
  audio ??= new AudioContext();
  const analyser = audio.createAnalyser();
  audio.createMediaStreamSource(source).connect(analyser);
  const samples = new Uint8Array(analyser.fftSize);
  const meter = page.querySelector("meter");
  let heard = false;
  const look = () => {
    if (!stream) return;
    analyser.getByteTimeDomainData(samples);
    const level = Math.max(...samples.map((sample) => Math.abs(sample - 128))) / 128;
    meter.value = level;
    if (level > 0.05 && !heard) {
      heard = true;
      say("microphone", "heard", "good");
    }
    requestAnimationFrame(look);
  };
  look();
}

function why(error) {
  if (error.name === "NotAllowedError") return "refused";
  if (error.name === "NotFoundError") return "missing";
  return "busy";
}

async function start() {
  stop();
  if (!navigator.mediaDevices?.getUserMedia) {
    say("camera", "unsupported", "bad");
    return;
  }
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: true, audio: true });
  } catch (error) {
    say("camera", why(error), "bad");
    say("microphone", why(error), "bad");
    return;
  }
  const video = page.querySelector("video");
  video.srcObject = stream;
  video.hidden = false;
  await video.play();
  say("camera", "seen", "good");
  say("microphone", "speak", "");
  follow(stream);
}

function sound() {
  audio ??= new AudioContext();
  const tone = audio.createOscillator();
  const volume = audio.createGain();
  tone.frequency.value = 440;
  volume.gain.setValueAtTime(0.2, audio.currentTime);
  volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + 1);
  tone.connect(volume).connect(audio.destination);
  tone.start();
  tone.stop(audio.currentTime + 1);
  say("speaker", "played", "good");
}

page.querySelector("[data-start]").addEventListener("click", start);
page.querySelector("[data-sound]").addEventListener("click", sound);
window.addEventListener("pagehide", stop);
