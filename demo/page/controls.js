// @ts-nocheck: runs in the browser; the project's types know no DOM.

const find = (id) => document.getElementById(id)

/** The buttons that stop the backend and change the default action. Without buttons: the commands to copy. */
export function createControls() {
  let state = {}

  const show = (shown) => {
    state = shown
    find('buttons').hidden = !state.controls
    find('commands').hidden = state.controls || state.edges !== undefined
    find('edge-commands').hidden = state.edges === undefined
    if (!state.controls) return
    const running = state.backend === 'running'
    label(find('backend-state'), state.backend, running ? 'good' : 'bad')
    find('backend').textContent = running ? 'Stop the backend' : 'Start it again'
    label(find('action-state'), state.defaultAction, state.defaultAction === 'allow' ? 'warm' : '')
    find('action').textContent = state.defaultAction === 'allow' ? 'Switch to deny' : 'Switch to allow'
  }
  /** Not "disabled" meanwhile, because the focus would be lost. */
  const press = async (button, path) => {
    if (button.ariaDisabled === 'true') return
    button.ariaDisabled = 'true'
    const said = find('control-said')
    said.textContent = ''
    try {
      const answer = await fetch(path, { method: 'POST' })
      if (!answer.ok) said.textContent = await answer.text()
    } catch {
      said.textContent = 'The demo does not answer: is it still running?'
    }
    button.ariaDisabled = null
  }
  find('backend').addEventListener('click', ({ currentTarget }) => {
    press(currentTarget, `demo/backend/${state.backend === 'running' ? 'stop' : 'start'}`)
  })
  find('action').addEventListener('click', ({ currentTarget }) => {
    press(currentTarget, `demo/default-action/${state.defaultAction === 'allow' ? 'deny' : 'allow'}`)
  })
  for (const row of document.querySelectorAll('#commands .row, #edge-commands .row')) {
    const [command, button] = row.children
    button.ariaLabel = `Copy: ${command.textContent}`
    button.addEventListener('click', async () => {
      await navigator.clipboard.writeText(command.textContent)
      find('control-said').textContent = 'Copied.'
    })
  }
  return { show }
}

function label(element, text, tone) {
  element.textContent = text
  element.dataset.tone = tone
}
