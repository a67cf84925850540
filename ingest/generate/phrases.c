#include "ingest/generate/phrases.h"

/* A text is an opening, a subject with its verdict, and sometimes a closing. Each list is one string, its choices separated by '|', so
 * that a language can be read as a whole. */
struct tongue {
    const char *openings[MOOD_COUNT];
    const char *subjects[MATTER_COUNT];
    const char *verdicts[MOOD_COUNT];
    const char *closings[MOOD_COUNT];
};

static const struct tongue tongues[LANGUAGE_COUNT] = {
    [LANGUAGE_ENGLISH] =
        {
            {"I am really disappointed.|Third time now.|Never again!|This is unacceptable.|I had hoped for more.|Honestly, what a mess.",
             "Hello,|A quick question.|For your information:|I wanted to ask about something.|Good morning,",
             "Thank you so much!|What a pleasant surprise.|I am very happy.|Great job.|Well done, everybody!"},
            {"the delivery|my parcel|the courier|shipping of my order", "your support team|the person on the phone|the help desk|the reply I got",
             "the product|the device|what I bought|the quality", "the price|my last invoice|what you charge|the refund",
             "the app|the website|the login page|the new version"},
            {"was late again and nobody told me why|is simply terrible and keeps failing|has been a waste of my time|arrived broken and looks cheap|does not work and makes me angry|is awful and far worse than promised",
             "is what I am writing about today|changed since last month, as far as I can see|is on the list for next week|should be the one from the catalogue|was mentioned in your letter of Monday",
             "is excellent and better than expected|works perfectly and saves me time|was fast, friendly and helpful|makes me smile every single day|is wonderful and worth every cent"},
            {"I want my money back.|Please fix this at once.|I am thinking of leaving.|Nobody ever answers me.|I will tell all my friends.",
             "Please let me know.|Thanks in advance.|Could you check that?|There is no hurry.",
             "I will recommend you to my friends.|Keep it up!|I will certainly order again.|Five stars from me."},
        },
    [LANGUAGE_GERMAN] =
        {
            {"Ich bin sehr enttäuscht.|Schon wieder!|Das ist eine Frechheit.|So geht das nicht.|Leider nur Ärger.",
             "Guten Tag,|Eine kurze Frage.|Zur Information:|Hallo zusammen,", "Vielen Dank!|Ich bin begeistert.|Einfach super.|Großes Lob an alle!"},
            {"die Lieferung|mein Paket|der Paketbote", "Ihr Kundendienst|der Mitarbeiter am Telefon|die Antwort auf meine Frage",
             "das Produkt|das Gerät|die Qualität", "der Preis|meine letzte Rechnung|die Erstattung", "die App|die Webseite|die neue Version"},
            {"kam viel zu spät und niemand sagte Bescheid|ist furchtbar und funktioniert nicht|war reine Zeitverschwendung|ist schlecht und kaputt angekommen",
             "hat sich seit letztem Monat geändert|steht nächste Woche auf dem Plan|wurde in Ihrem Brief erwähnt|ist der Grund meiner Nachricht",
             "ist ausgezeichnet und besser als erwartet|funktioniert einwandfrei und spart mir Zeit|war schnell, freundlich und hilfreich"},
            {"Ich möchte mein Geld zurück.|Bitte sofort beheben.|Ich überlege zu kündigen.", "Bitte geben Sie mir Bescheid.|Danke im Voraus.",
             "Ich empfehle Sie gerne weiter.|Weiter so!|Ich bestelle sicher wieder."},
        },
    [LANGUAGE_FRENCH] =
        {
            {"Je suis très déçu.|Encore une fois !|C'est inadmissible.|Quelle honte.", "Bonjour,|Une petite question.|Pour information :",
             "Merci beaucoup !|Je suis ravie.|Bravo à toute l'équipe !|Parfait."},
            {"la livraison|mon colis|le livreur", "votre service client|la personne au téléphone|la réponse reçue", "le produit|l'appareil|la qualité",
             "le prix|ma dernière facture|le remboursement", "l'application|le site|la nouvelle version"},
            {"est en retard et personne ne répond|est nul et ne marche pas|m'a fait perdre mon temps|est arrivé cassé, c'est lamentable",
             "a changé depuis le mois dernier|est prévu pour la semaine prochaine|était mentionné dans votre lettre",
             "est excellent et mieux que prévu|fonctionne parfaitement|a été rapide, aimable et efficace"},
            {"Je veux être remboursé.|Je vais résilier.|À fuir.", "Merci de me répondre.|Merci d'avance.", "Je recommande vivement.|Continuez ainsi !|Je reviendrai."},
        },
    [LANGUAGE_PORTUGUESE] =
        {
            {"Estou muito decepcionado.|De novo!|Isto é um absurdo.|Péssimo.", "Bom dia,|Uma pergunta rápida.|Para sua informação:",
             "Muito obrigada!|Adorei.|Parabéns a todos!|Ótimo trabalho."},
            {"a entrega|meu pacote|o entregador", "o atendimento|a pessoa ao telefone|a resposta que recebi", "o produto|o aparelho|a qualidade",
             "o preço|minha última fatura|o reembolso", "o aplicativo|o site|a nova versão"},
            {"atrasou muito e ninguém avisou|é horrível e não funciona|foi perda de tempo|chegou quebrado e é ruim",
             "mudou desde o mês passado|está marcado para a próxima semana|foi citado na sua carta",
             "é excelente e melhor do que eu esperava|funciona perfeitamente|foi rápido, gentil e muito bom"},
            {"Quero meu dinheiro de volta.|Vou cancelar.|Não recomendo.", "Aguardo resposta.|Obrigado desde já.", "Recomendo muito.|Continuem assim!|Vou comprar de novo."},
        },
};

/* One of the choices of `list`. */
static struct view choose(const char *list, struct random *random)
{
    uint32_t count = 1;
    for (const char *at = list; *at; at++)
        count += *at == '|';
    uint32_t chosen = random_below(random, count);
    for (; chosen > 0; list++)
        chosen -= *list == '|';
    const char *end = strchr(list, '|');
    return view_of(list, end ? (size_t)(end - list) : strlen(list));
}

static void put(char *text, size_t *size, struct view part)
{
    if (*size + part.size + 2 > PHRASE_BYTES_MAX)
        return;
    memcpy(text + *size, part.data, part.size);
    *size += part.size;
}

struct view phrase_write(char text[PHRASE_BYTES_MAX], enum language language, enum mood mood, enum matter matter,
                         struct random *random)
{
    const struct tongue *tongue = &tongues[language];
    size_t size = 0;
    uint32_t form = random_below(random, 8);
    if (form & 1) {
        put(text, &size, choose(tongue->openings[mood], random));
        put(text, &size, VIEW_LITERAL(" "));
    }
    size_t begin = size;
    put(text, &size, choose(tongue->subjects[matter], random));
    if (text[begin] >= 'a' && text[begin] <= 'z')
        text[begin] = (char)(text[begin] - 'a' + 'A');
    put(text, &size, VIEW_LITERAL(" "));
    put(text, &size, choose(tongue->verdicts[mood], random));
    put(text, &size, VIEW_LITERAL("."));
    if (form & 2) {
        put(text, &size, VIEW_LITERAL(" "));
        put(text, &size, choose(tongue->closings[mood], random));
    }
    return view_of(text, size);
}

struct view phrase_reply(char text[PHRASE_BYTES_MAX], enum language language, struct random *random)
{
    static const char *const replies[LANGUAGE_COUNT] = {
        [LANGUAGE_ENGLISH] = "Thank you for writing. We are looking into it and will be back today.|Could you send us the serial number, please?|"
                             "I have passed this on to our technicians.|A replacement is on its way to you.|Please restart the device and tell us what you see.",
        [LANGUAGE_GERMAN] = "Danke für Ihre Nachricht. Wir kümmern uns darum und melden uns heute noch.|Bitte senden Sie uns die Seriennummer.|"
                            "Ich habe das an die Technik weitergegeben.|Der Ersatz ist unterwegs.",
        [LANGUAGE_FRENCH] = "Merci de votre message. Nous revenons vers vous dans la journée.|Pouvez-vous nous envoyer le numéro de série ?|"
                            "J'ai transmis votre demande à nos techniciens.",
        [LANGUAGE_PORTUGUESE] = "Obrigado pela mensagem. Vamos verificar e responder ainda hoje.|Pode nos enviar o número de série?|"
                                "Encaminhei o seu pedido à equipe técnica."};
    size_t size = 0;
    put(text, &size, choose(replies[language], random));
    return view_of(text, size);
}
