// Shows in the page what the operator tells it: a strip for a drain, a toast for each message, a
// panel for the end. Runs whenever `cb_obj.tags` changes; `style` is the text of notices.css.
// What it shows hangs on no model, so that it outlives the connection. Texts become text nodes.

const told = JSON.parse(cb_obj.tags[0])
const stage = document.querySelector("body > .psm-notices")?.psm ?? open()

if (told.end) {
  showEnd(told.end)
} else {
  told.messages.filter(({id}) => !stage.seen.has(id)).forEach(showMessage)
  const shown = told.messages.map(({id}) => id)
  if (shown.length) cb_obj.data = {shown, turn: shown.map(() => told.turn)} // each a change
  showDrain(told.drain)
}

function make(tag, name, ...content) {
  const element = document.createElement(tag)
  element.className = `psm-${name}`
  element.append(...content)
  return element
}

function text(tag, name, words) {
  const element = make(tag, name, words)
  element.dir = "auto"
  return element
}

function button(name, label, press) {
  const element = make("button", name, label)
  element.type = "button"
  element.addEventListener("click", press)
  return element
}

function open() {
  const host = make("div", "notices")
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(style)
  const root = host.attachShadow({mode: "open"})
  root.adoptedStyleSheets = [sheet]
  const toasts = make("div", "toasts")
  const stack = root.appendChild(make("div", "stack", toasts))
  document.body.append(host)
  followTheme(host)
  return host.psm = {root, stack, toasts, seen: new Set()}
}

function followTheme(host) {
  const follow = () => { host.dataset.theme = isDark() ? "dark" : "light" }
  const watcher = new MutationObserver(follow)
  for (const element of [document.documentElement, document.body, document.head])
    watcher.observe(element, {attributes: true, childList: element === document.head})
  follow()
}

function isDark() {
  for (const element of [document.body, document.documentElement]) {
    const [red, green, blue, opacity = 1] =
      (getComputedStyle(element).backgroundColor.match(/^rgba?\((.*)\)$/)?.[1] ?? "0, 0, 0, 0")
        .split(/[ ,/]+/).map(Number)
    if (opacity > 0) return 0.299 * red + 0.587 * green + 0.114 * blue < 128
  }
  return getComputedStyle(document.documentElement).colorScheme === "dark"
}

function showMessage({id, text: words, by}) {
  stage.seen.add(id)
  const from = make("div", "from", "Message from ", by ? make("bdi", "by", by) : "an operator")
  const close = button("close", "✕", () => {
    const next = toast.nextElementSibling ?? toast.previousElementSibling
    toast.remove()
    next?.querySelector("button").focus()
  })
  close.setAttribute("aria-label", "Close this message")
  const toast = make("div", "toast", make("div", "words", from, text("div", "text", words)), close)
  toast.setAttribute("role", "alert")
  stage.toasts.append(toast)
}

function showDrain(drain) {
  const left = drain?.seconds_left ?? null
  stage.endsAt = left === null ? null : Date.now() + 1000 * left
  if (stage.drain !== drain?.id) {
    stage.drain = drain?.id
    stage.strip?.remove()
    stage.strip = drain && openStrip(drain)
  }
  clearInterval(stage.clock)
  if (drain) stage.clock = setInterval(stage.strip.psmTick, 250)
  stage.strip?.psmTick()
}

function openStrip({reason}) {
  const said = make("div", "said", make("strong", "what", "This app is being drained."))
  said.setAttribute("role", "alert")
  if (reason) said.append(text("span", "text", reason))
  const left = make("span", "left") // outside of what is read out, as it changes each second
  const words = make("div", "words", said)
  const fold = button("fold", "", () => setFolded(!words.hidden))
  const strip = make("div", "strip", words, fold)
  const setFolded = (folded) => {
    words.hidden = folded
    strip.classList.toggle("psm-folded", folded)
    fold.replaceChildren(...(folded ? ["Being drained ", left, " ▾"] : ["▴"]))
    fold.setAttribute("aria-expanded", String(!folded))
    folded ? fold.removeAttribute("aria-label") : fold.setAttribute("aria-label", "Fold this notice")
    if (!folded) words.append(left)
    strip.psmTick()
  }
  strip.psmTick = () => { left.textContent = remaining(stage.endsAt, words.hidden) }
  setFolded(false)
  stage.stack.prepend(strip)
  return strip
}

function remaining(endsAt, short) {
  if (endsAt === null) return short ? "" : "Please finish your work and close this page."
  const seconds = Math.ceil((endsAt - Date.now()) / 1000)
  if (seconds <= 0) return short ? "0:00" : "Its sessions are being ended now."
  const two = (number) => String(number).padStart(2, "0")
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60]
  const time = (hours ? `${hours}:${two(minutes)}` : minutes) + `:${two(seconds % 60)}`
  return short ? time : `This session will be ended in ${time}.`
}

function showEnd({reason, by}) {
  if (stage.ended) return
  stage.ended = true
  showDrain(null)
  const title = make("h1", "title", "This session has been ended")
  const who = make("p", "who", by ? make("bdi", "by", by) : "An operator", " has ended it.")
  const how = make("p", "how",
    "What this page showed is no longer connected. You may go on: " +
    "loading the page anew begins a new session.")
  const reload = button("reload", "Load the page anew", () => location.reload())
  const words = make("div", "words", title, who, text("p", "text", reason), how, reload)
  const panel = make("div", "end", words)
  title.id = "psm-title"
  words.id = "psm-words"
  panel.setAttribute("role", "alertdialog")
  panel.setAttribute("aria-modal", "true")
  panel.setAttribute("aria-labelledby", title.id)
  panel.setAttribute("aria-describedby", words.id)
  panel.addEventListener("keydown", (press) => {
    if (press.key === "Tab") press.preventDefault() // there is nothing else to go to
  })
  stage.stack.remove()
  stage.root.append(panel)
  reload.focus()
}
