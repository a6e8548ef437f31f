// profile.js -- shows the profile of the person who is signed in, and changes
// it, by GET and PUT of /auth/v1/users/me/profile. The site's own login is used
// where the browser has one. A token that is typed in is kept in a variable
// below, and nowhere else.

const GERMAN = {
    '(empty)': '(leer)',
    '(optional)': '(freiwillig)',
    'Another…': 'Eine andere …',
    'At most {0} characters.': 'Höchstens {0} Zeichen.',
    'Back, without saving': 'Zurück, ohne zu speichern',
    'Display name': 'Anzeigename',
    'Diverse': 'Divers',
    'Enter {0} to {1} characters.': 'Geben Sie {0} bis {1} Zeichen ein.',
    'Female': 'Weiblich',
    'First name': 'Vorname',
    'Gender': 'Geschlecht',
    'I have signed in': 'Ich habe mich angemeldet',
    'It is forgotten when you close or reload this page.':
        'Es wird vergessen, wenn Sie diese Seite schließen oder neu laden.',
    'Language': 'Sprache',
    'Language tag, such as rm': 'Sprachkürzel, zum Beispiel rm',
    'Last changed: {0}': 'Zuletzt geändert: {0}',
    'Last name': 'Nachname',
    'Loading…': 'Wird geladen …',
    'Male': 'Männlich',
    'Nickname': 'Spitzname',
    'Not given': 'Keine Angabe',
    'Please fill this in.': 'Bitte füllen Sie dieses Feld aus.',
    'Please look at the fields that are marked. Nothing was saved.':
        'Bitte sehen Sie sich die markierten Felder an. Es wurde nichts gespeichert.',
    'Save': 'Speichern',
    'Save this choice': 'Diese Auswahl speichern',
    'Saved elsewhere:': 'Anderswo gespeichert:',
    'Saved.': 'Gespeichert.',
    'Saving…': 'Wird gespeichert …',
    'Sign in': 'Anmelden',
    'Sign in to see your profile.':
        'Melden Sie sich an, um Ihr Profil zu sehen.',
    'Sign in, in a new tab': 'In einem neuen Tab anmelden',
    'Sign out': 'Abmelden',
    'The server answers with an error: {0}':
        'Der Server antwortet mit einem Fehler: {0}',
    'The server cannot be reached.': 'Der Server ist nicht erreichbar.',
    'The server cannot be reached. What you typed is still here.':
        'Der Server ist nicht erreichbar. Ihre Eingaben bleiben erhalten.',
    'The server cannot do this just now.':
        'Der Server kann das im Moment nicht tun.',
    'The server cannot do this just now. Trying again in {0} seconds.':
        'Der Server kann das im Moment nicht tun. Neuer Versuch in {0} Sekunden.',
    'The server does not accept this token. It may have expired.':
        'Der Server nimmt dieses Token nicht an. Vielleicht ist es abgelaufen.',
    'The server has no room to save this.':
        'Der Server hat keinen Platz, um das zu speichern.',
    'There is no profile for the user who is signed in.':
        'Für den angemeldeten Benutzer gibt es kein Profil.',
    'There is nothing to save: you have changed nothing.':
        'Es gibt nichts zu speichern: Sie haben nichts geändert.',
    'This is how others see you.': 'So sehen andere Sie.',
    'This is no language tag.': 'Das ist kein Sprachkürzel.',
    'This is no token.': 'Das ist kein Token.',
    'This language cannot be chosen here. These can: {0}':
        'Diese Sprache ist hier nicht wählbar. Wählbar sind: {0}',
    'This page needs JavaScript.': 'Diese Seite braucht JavaScript.',
    'Token': 'Token',
    'Try again': 'Erneut versuchen',
    'Use a token instead': 'Mit einem Token anmelden',
    'While you were typing, it was saved from another place. Choose what to keep.':
        'Während Ihrer Eingabe wurde es an anderer Stelle gespeichert.'
        + ' Wählen Sie, was bleiben soll.',
    'You are signed in as somebody else now. This is that profile; what you typed was not saved.':
        'Sie sind jetzt als jemand anderes angemeldet. Dies ist dessen Profil;'
        + ' Ihre Eingaben wurden nicht gespeichert.',
    'You are signed out. What you typed is still here: sign in again, and it is saved.':
        'Sie sind abgemeldet. Ihre Eingaben bleiben erhalten: Melden Sie sich'
        + ' wieder an, dann werden sie gespeichert.',
    'You may not change your profile here.':
        'Sie dürfen Ihr Profil hier nicht ändern.',
    'You may not see your profile here.':
        'Sie dürfen Ihr Profil hier nicht sehen.',
    'Your profile': 'Ihr Profil',
    'Your profile was changed elsewhere': 'Ihr Profil wurde anderswo geändert',
    'Yours:': 'Ihres:',
};

// The languages that are offered; any other can be named by its tag.
const LANGUAGES = [
    'ar', 'bg', 'cs', 'da', 'de', 'el', 'en', 'es', 'et', 'fa', 'fi', 'fr',
    'ga', 'he', 'hi', 'hr', 'hu', 'id', 'it', 'ja', 'ko', 'lt', 'lv', 'mk',
    'mt', 'nb', 'nl', 'pl', 'pt', 'ro', 'ru', 'sk', 'sl', 'sr', 'sv', 'tr',
    'uk', 'vi', 'zh',
];

const FIELDS = [
    'firstName', 'lastName', 'displayName', 'nickName', 'preferredLanguage',
    'gender',
];

// What the API leaves out.
const ABSENT = {
    nickName: '', preferredLanguage: 'und', gender: 'GENDER_UNSPECIFIED',
};

const element = (id) => document.getElementById(id);
const form = element('profile');

const language = navigator.languages
    .map((tag) => /^(de|en)(-|$)/i.exec(tag)?.[1].toLowerCase())
    .find((known) => known) ?? 'en';

// The address of the calls, without the password that the page's own may have.
const api = new URL(
    document.querySelector('meta[name=userprofile-api]').content,
    document.baseURI);
api.username = api.password = '';

let token = '';
let isAccepted = false; // whether the server has accepted the token
let isBusy = false; // reading or saving
let stored; // what the server has: { details, profile }
const shown = {}; // what each control showed of it
let sent = {}; // what each control had when it was last sent

// Words.

// TEXT in the page's language, with WORDS for {0}, {1}...
function say(text, ...words) {
    const said = language === 'de' ? GERMAN[text] ?? text : text;
    return said.replace(/\{(\d)\}/g, (_, i) => words[i]);
}

// Put all texts below ROOT into the page's language.
function translate(root) {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const node = walker.currentNode;
        const text = node.data.trim().replace(/\s+/g, ' ');
        node.data = node.data.replace(/\S(.*\S)?/s, () => say(text));
    }
}

function languageName(tag) {
    try {
        return new Intl.DisplayNames(language, { type: 'language' }).of(tag);
    } catch {
        return tag;
    }
}

function timeText(time) {
    return new Intl.DateTimeFormat(language,
        { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(time));
}

// The form's controls: each has a value, as the API has it.

function addLanguage(tag) {
    const option = new Option(languageName(tag), tag);
    const select = element('preferredLanguage');
    select.add(option, select.options.length - 1);
}

// The list of languages, and the tag of another one.
const languageControl = {
    get value() {
        return element('preferredLanguage').value
            || element('language-tag').value.trim();
    },
    set value(tag) {
        const select = element('preferredLanguage');
        if (![...select.options].some(({ value }) => value === tag))
            addLanguage(tag);
        select.value = tag;
        element('language-tag').value = '';
        showLanguageTag();
    },
};

const controls = Object.fromEntries(FIELDS.map((name) => [name, element(name)]));
controls.preferredLanguage = languageControl;

function showLanguageTag() {
    element('other-language').hidden =
        element('preferredLanguage').value !== '';
}

// The element that is marked and gets the focus if the field NAME is at fault.
function faultyElement(name) {
    return name === 'preferredLanguage' && element(name).value === ''
        ? element('language-tag') : element(name);
}

function isChanged(name) {
    return controls[name].value !== shown[name];
}

// What the field NAME is to be. A control may be unable to show what is stored,
// such as a line break; what is not touched stays as it is.
function wanted(name) {
    return isChanged(name) ? controls[name].value : stored.profile[name];
}

// Show BODY, an answer of GET. What was typed since it was sent stays.
function show(body, keepsTyped = false) {
    stored = {
        details: body.details,
        profile: { ...ABSENT, ...body.profile },
    };
    for (const name of FIELDS) {
        const typed = controls[name].value;
        controls[name].value = stored.profile[name];
        shown[name] = controls[name].value;
        if (keepsTyped && typed !== sent[name])
            controls[name].value = typed;
    }
    element('changed').textContent =
        say('Last changed: {0}', timeText(body.details.changeDate));
    form.hidden = false;
}

// Messages.

function notify(text, kind = '') {
    element('message').className = kind;
    element('message').textContent = text;
    element('notice').scrollIntoView({ block: 'nearest' });
}

function markField(name, text) {
    const control = faultyElement(name);
    control.setAttribute('aria-invalid', 'true');
    element(`${name}-error`).textContent = text;
    return control;
}

function unmarkFields() {
    for (const control of document.querySelectorAll('[aria-invalid]'))
        control.removeAttribute('aria-invalid');
    for (const error of document.querySelectorAll('.error'))
        error.textContent = '';
}

// Move the focus out of PART of the page, which is about to be hidden.
function leave(part) {
    if (part.contains(document.activeElement))
        element(form.hidden ? 'title' : 'save').focus();
}

// Resolves to the first of EVENTS, each a target and a type.
function first(...events) {
    return new Promise((resolve) => {
        const over = new AbortController();
        for (const [target, type] of events) {
            target.addEventListener(type, (event) => {
                event.preventDefault();
                over.abort();
                resolve(event);
            }, { signal: over.signal });
        }
    });
}

// Say TEXT, and resolve when the person, or after SECONDS the time, has come to
// try again.
async function again(text, seconds = NaN) {
    const button = element('again');
    const events = [[button, 'click'], [window, 'online']];
    if (seconds >= 0)
        events.push([AbortSignal.timeout(1000 * seconds), 'abort']);
    notify(text, 'bad');
    button.hidden = false;
    await first(...events);
    notify('');
    leave(button);
    button.hidden = true;
}

// In place of the server's DESCRIPTION of a field's fault, in the person's
// words; those that are not known here are shown as they are.
function faultText(description, value) {
    const [, least, most] =
        /between (\d+) and (\d+) runes/.exec(description) ?? [];
    if (least)
        return value === '' ? say('Please fill this in.')
            : say('Enter {0} to {1} characters.', least, most);
    const [, limit] = /at most (\d+) runes/.exec(description) ?? [];
    if (limit)
        return say('At most {0} characters.', limit);
    if (description.includes('BCP 47'))
        return say('This is no language tag.');
    const [, tags] = /languages allowed here.*: (.*)/.exec(description) ?? [];
    if (tags)
        return say('This language cannot be chosen here. These can: {0}',
            tags.split(', ').map(languageName).join(', '));
    return description;
}

function reasonOf(body) {
    return body.details?.find?.(({ reason }) => reason)?.reason;
}

// The sentence for an error of METHOD that is of no field.
function errorText(method, { status, body }) {
    switch (reasonOf(body)) {
    case 'USER_NOT_FOUND':
    case 'USER_NOT_HUMAN':
    case 'PROFILE_NOT_FOUND':
        return say('There is no profile for the user who is signed in.');
    case 'PERMISSION_DENIED':
    case 'MEMBERSHIP_NOT_FOUND':
    case 'FORBIDDEN':
        return method === 'GET' ? say('You may not see your profile here.')
            : say('You may not change your profile here.');
    case 'STORE_FULL':
        return say('The server has no room to save this.');
    default:
        return say('The server answers with an error: {0}',
            body.message ?? `HTTP ${status}`);
    }
}

// Signing in.

function isWellFormed(text) {
    return /^[\w.~+/-]+=*$/.test(text);
}

// Resolves when the person has, or may have, signed in after the 401 ANSWER: by
// the browser's own dialog, on another page of the site, or with a token.
async function signIn({ challenge }) {
    const byToken = /(^|, *)bearer\b/i.test(challenge);
    const byBrowser = /(^|, *)(basic|digest|negotiate|ntlm)\b/i.test(challenge);
    const bySite = !byToken && !byBrowser;
    const isRefused = token !== '' && !isAccepted;
    token = '';

    notify('');
    element('sign-out').hidden = true;
    element('sign-in-why').textContent = stored
        ? say('You are signed out. What you typed is still here: sign in again, and it is saved.')
        : say('Sign in to see your profile.');
    element('by-site').hidden = !bySite;
    element('by-button').hidden = byToken && !byBrowser;
    element('go-on').textContent = say(bySite ? 'I have signed in' : 'Sign in');
    const showToken = (isShown) => {
        element('go-on').className = bySite || isShown ? 'quiet' : '';
        element('by-token').hidden = !isShown;
        element('use-token').hidden = isShown;
    };
    showToken(element('by-button').hidden || isRefused);
    unmarkFields();
    if (isRefused)
        markField('token', say('The server does not accept this token.'
            + ' It may have expired.'));
    element('sign-in').hidden = false;
    element('sign-in').querySelector(isRefused ? 'input'
        : ':is(a, button, input):not([hidden], [hidden] *)').focus();

    for (;;) {
        const { target } = await first(
            [element('go-on'), 'click'], [element('use-token'), 'click'],
            [element('by-token'), 'submit'], [document, 'visibilitychange']);
        if (target === element('go-on')
            || (target === document && bySite && !document.hidden))
            return;
        if (target === element('use-token')) {
            showToken(true);
            element('token').focus();
        }
        if (target === element('by-token')) {
            const text = element('token').value.trim();
            unmarkFields();
            if (isWellFormed(text)) {
                token = text;
                isAccepted = false;
                element('token').value = '';
                return;
            }
            markField('token', text === '' ? say('Please fill this in.')
                : say('This is no token.')).focus();
        }
    }
}

function signedIn() {
    isAccepted = true;
    element('sign-out').hidden = token === '';
    leave(element('sign-in'));
    element('sign-in').hidden = true;
}

// Calling.

// A PUT's body. Fields that this page does not know stay as they are.
function message() {
    for (const name of FIELDS)
        sent[name] = controls[name].value;
    return JSON.stringify({
        ...stored.profile,
        ...Object.fromEntries(FIELDS.map((name) => [name, wanted(name)])),
    });
}

function parse(text) {
    try {
        return JSON.parse(text) ?? {};
    } catch {
        return {};
    }
}

// Send one request. Its status is 0 where no answer came, and 401 where the site
// redirects to its login. The sequence is If-Match's value, not the ETag, which
// a proxy may have made a weak one.
async function send(method) {
    const headers = {};
    let body;
    if (token)
        headers.Authorization = `Bearer ${token}`;
    if (method === 'PUT') {
        headers['Content-Type'] = 'application/json';
        headers['If-Match'] = `"${stored.details.sequence}"`;
        body = message();
    }
    try {
        const answer = await fetch(api, {
            method, headers, body, cache: 'no-store', redirect: 'manual',
            credentials: token ? 'omit' : 'same-origin',
        });
        return {
            status: answer.type === 'opaqueredirect' ? 401 : answer.status,
            challenge: answer.headers.get('WWW-Authenticate') ?? '',
            seconds: Number.parseInt(answer.headers.get('Retry-After'), 10),
            body: parse(await answer.text()),
        };
    } catch {
        return { status: 0 };
    }
}

// Send requests until there is an answer that only the caller can judge. After
// a 401 the person has signed in; a PUT is not sent again then, since it may be
// somebody else: its answer is the 401.
async function ask(method) {
    for (;;) {
        const answer = await send(method);
        if (answer.status === 401) {
            await signIn(answer);
            if (method === 'PUT')
                return answer;
            continue;
        }
        if (answer.status === 0) {
            await again(stored
                ? say('The server cannot be reached. What you typed is still here.')
                : say('The server cannot be reached.'));
            continue;
        }
        signedIn();
        if (answer.status !== 503)
            return answer;
        await again(answer.seconds >= 0
            ? say('The server cannot do this just now. Trying again in {0} seconds.',
                answer.seconds)
            : say('The server cannot do this just now.'), answer.seconds);
    }
}

// The profile as it is now: an answer of GET.
async function read() {
    for (;;) {
        const answer = await ask('GET');
        if (answer.status === 200 && answer.body.profile)
            return answer.body;
        await again(errorText('GET', answer));
    }
}

// Conflicts.

function valueText(name, value) {
    if (name === 'preferredLanguage' && value !== 'und')
        return languageName(value);
    const option = [...element(name).options ?? []]
        .find((candidate) => candidate.value === value);
    return option?.text ?? (value || say('(empty)'));
}

// The choice for the field NAME, which is stored as THEIRS now.
function makeChoice(name, theirs) {
    const choice = element('choice').content.cloneNode(true);
    translate(choice);
    choice.querySelector('legend').textContent =
        document.querySelector(`label[for=${name}]`).firstChild.data.trim();
    const [mine, other] = choice.querySelectorAll('input');
    mine.name = other.name = `choice-${name}`;
    (isChanged(name) ? mine : other).checked = true;
    const [mineText, otherText] = choice.querySelectorAll('b');
    mineText.textContent = valueText(name, wanted(name));
    otherText.textContent = valueText(name, theirs);
    return choice;
}

// Resolves to whether the profile is to be saved, after NOW was found stored in
// place of what is shown: for each field that differs the person has chosen one
// of the two values, and the form has them.
async function settle(now) {
    if (now.details.sequence === stored.details.sequence)
        return true;
    const theirs = { ...ABSENT, ...now.profile };
    const mine = Object.fromEntries(
        FIELDS.filter((name) => wanted(name) !== theirs[name])
            .map((name) => [name, wanted(name)]));
    const names = Object.keys(mine);
    if (names.length === 0) {
        show(now);
        return true;
    }

    const conflict = element('conflict');
    element('choices').replaceChildren(
        ...names.map((name) => makeChoice(name, theirs[name])));
    notify('');
    form.hidden = true;
    conflict.hidden = false;
    element('conflict-title').focus();
    const { type } =
        await first([conflict, 'submit'], [element('back'), 'click']);

    const isMine = (name) =>
        conflict.elements[`choice-${name}`].value === 'mine';
    const chosen = names.filter(isMine);
    show(now);
    for (const name of chosen)
        controls[name].value = mine[name];
    leave(conflict);
    conflict.hidden = true;
    return type === 'submit';
}

// Two people have different organisations or moments of creation.
function isSomebodyElse(now) {
    return now.details.creationDate !== stored.details.creationDate
        || now.details.resourceOwner !== stored.details.resourceOwner;
}

// Saving.

function showFaults(faults) {
    const marked = faults.filter(({ field }) => FIELDS.includes(field))
        .map(({ field, description }) =>
            markField(field, faultText(description, wanted(field))));
    notify([
        say('Please look at the fields that are marked. Nothing was saved.'),
        ...faults.filter(({ field }) => !FIELDS.includes(field))
            .map(({ field, description }) => `${field}: ${description}`),
    ].join(' '), 'bad');
    marked[0]?.focus();
}

async function save() {
    unmarkFields();
    if (!FIELDS.some(isChanged))
        return notify(say('There is nothing to save: you have changed nothing.'));
    while (FIELDS.some(isChanged)) {
        notify(say('Saving…'));
        const answer = await ask('PUT');
        const { status, body } = answer;
        const faults = body?.details?.find?.((detail) => detail.fieldViolations);

        if (status === 200 || reasonOf(body) === 'PROFILE_NOT_CHANGED') {
            show(await read(), true);
            break;
        }
        if (faults)
            return showFaults(faults.fieldViolations);
        if (status !== 412 && status !== 401)
            return notify(errorText('PUT', answer), 'bad');

        const now = await read();
        if (isSomebodyElse(now)) {
            show(now);
            return notify(say('You are signed in as somebody else now. This is'
                + ' that profile; what you typed was not saved.'), 'bad');
        }
        if (!await settle(now))
            return;
    }
    // All that was typed is stored, by this save or by another.
    notify(say('Saved.'), 'good');
}

async function begin() {
    notify(say('Loading…'));
    show(await read());
    notify('');
}

// Do TASK, unless another is not finished.
async function run(task) {
    if (isBusy)
        return;
    isBusy = true;
    try {
        await task();
    } finally {
        isBusy = false;
    }
}

document.documentElement.lang = language;
document.title = say(document.title);
translate(document.body);
LANGUAGES.sort((a, b) =>
    languageName(a).localeCompare(languageName(b), language)).forEach(addLanguage);

// No form is ever sent, also not one that nothing waits for.
document.addEventListener('submit', (event) => event.preventDefault());
form.addEventListener('submit', () => run(save));
form.addEventListener('input', ({ target }) => {
    const name = target.id === 'language-tag' ? 'preferredLanguage' : target.id;
    target.removeAttribute('aria-invalid');
    element(`${name}-error`).textContent = '';
    showLanguageTag();
    if (!isBusy)
        notify('');
});
// A new document has forgotten the token, and who was signed in.
element('sign-out').addEventListener('click', () =>
    location.replace(location.pathname));
window.addEventListener('beforeunload', (event) => {
    if (stored && FIELDS.some(isChanged))
        event.preventDefault();
});
run(begin);
