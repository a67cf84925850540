#include "processors/journey/sentiment/topics.h"

/* In each line: en, de, fr, it, pt, es. */
const struct dictionary_list topic_lists[] = {
    {TOPIC_DELIVERY, "deliver* shipp* shipment* parcel* courier tracking_number not_arrived never_arrived hasn't_arrived "
                     "liefer* versand* versend* paket* zustell* sendung* livraison* livré* livrer livreur* colis expédi* acheminement "
                     "consegn* spedi* pacco corriere entreg* frete transportadora correios encomenda* envío* envio* enviad* paquete* repartidor "
                     "mensajería llegó llegado chegou"},
    {TOPIC_BILLING, "invoice* billed billing bill charged charge charges overcharg* double_charged payment* paid_twice direct_debit credit_card "
                    "rechnung* abgebucht* abbuch* lastschrift* zahlung* kreditkarte* mahnung* doppelt_bezahlt facture* factur* prélev* paiement* débité* "
                    "carte_bancaire fattur* addebit* pagament* bolletta carta_di_credito fatura* cobran* cobrad* cobraram boleto* pagamento* "
                    "cartão_de_crédito cobro* cobraron cobrado pago* tarjeta_de_crédito recibo*"},
    {TOPIC_REFUND, "refund* money_back reimburs* chargeback rückerstatt* erstatt* geld_zurück rückzahlung* gutschrift* rembours* rimbors* reembols* "
                   "estorn* devolver_o_dinheiro dinheiro_de_volta devolución_del_dinero devolver_el_dinero mi_dinero"},
    {TOPIC_CANCELLATION, "cancel* storn* kündig* gekündigt abgesagt absage annul* résili* disdett* disdire annulla* anul* rescindir rescisão "
                         "darme_de_baja dar_de_baja"},
    {TOPIC_DAMAGE, "damag* broken broke cracked smashed dented scratched torn shattered leaking beschädig* zerbroch* zerkratzt* kaputt* gebrochen "
                   "zerriss* cassé* abîm* endommag* rayé* fissur* brisé* danneggiat* rott* rotto graffiat* ammaccat* quebrad* quebrou danific* "
                   "amassad* rasgad* trincad* arranhad* rotas roto rota dañad* golpead* rayad* abollad*"},
    {TOPIC_QUALITY, "quality defect* faulty stopped_working doesn't_work not_working malfunction* flimsy durable qualität* mangelhaft* defekt* "
                    "verarbeitung* funktioniert_nicht fehlerhaft* qualité* défectueu* défaut* ne_fonctionne ne_marche qualità difett* non_funziona "
                    "qualidade* defeit* não_funciona parou_de_funcionar calidad* defectuos* no_funciona"},
    {TOPIC_PRICE, "price* expensive overpriced cheap cheaper discount* fee fees cost costs affordable coupon* voucher* preis* teuer* billig* günstig* rabatt* "
                  "kosten gebühr* gutschein* prix cher chère chers tarif* coûte* coûteu* remise* réduction* promo* frais prezz* costos* economic* sconto "
                  "sconti tariff* preço* caro cara barat* desconto* taxa taxas precio* barato descuento* tarifa* oferta*"},
    {TOPIC_SUPPORT, "support customer_service customer_care helpdesk help_desk call_center call_centre hotline phone_support live_chat no_response "
                    "no_reply ticket kundenservice* kundendienst* kundenbetreuung* callcenter keine_antwort service_client sav hot_line assistance "
                    "support_client standard_téléphonique servizio_clienti assistenza call_center atendimento suporte sac central_de "
                    "atención_al_cliente servicio_al_cliente soporte atencion servicio_técnico"},
    {TOPIC_STAFF, "staff employee* waiter* waitress* manager* agent* rep representative* crew driver rude polite friendly das_personal dem_personal vom_personal ihr_personal personal_ist personal_war personal_sehr mitarbeiter* verkäufer* "
                  "bedienung* fahrer* freundlich* unfreundlich* unhöflich* personnel vendeur* vendeuse* employé* caissi* conseiller* accueil aimable* "
                  "personale commess* dipendent* impiegat* cortes* scortes* funcionári* atendente* vendedor* motorista* equipe educad* el_personal al_personal del_personal su_personal personal_muy "
                  "empleado* empleada* dependiente* conductor* amable* maleducad*"},
    {TOPIC_WAITING, "wait waiting waited delay* late queue* on_hold slow hours_later warte* gewartet wartezeit* verspät* verzöger* schlange langsam* "
                    "attente* attend* attendu* retard* lent lente file_d_attente attes* aspett* ritard* coda lent* demor* atras* espera esperando fila "
                    "filas retras* tard* cola colas"},
    {TOPIC_APP, "app apps website web_site webpage online_shop crash* bug bugs glitch* login_page update* software screen site webseite* homepage "
                "abgestürzt absturz anwendung* appli application* site_web site_internet plante mise_à_jour applicazion* sito aggiornament* aplicativo* "
                "aplicação site atualizaç* aplicación aplicaciones página_web actualizac* sitio_web"},
    {TOPIC_ACCOUNT, "account* password* log_in login logged sign_in signin locked_out username verification profile konto* kundenkonto* passwort* "
                    "anmeld* einloggen gesperrt* benutzername compte* mot_de_passe connexion connecter identifiant* account_bloccato accesso utente "
                    "credenziali senha* conta minha_conta cadastro* usuário acesso contraseña* cuenta* iniciar_sesión usuario*"},
    {TOPIC_AVAILABILITY, "out_of_stock sold_out unavailable not_available in_stock back_order* backorder* restock* ausverkauft* nicht_verfügbar "
                         "nicht_lieferbar vergriffen* rupture_de_stock en_rupture indisponib* épuisé* esaurit* non_disponib* esgotad* indisponív* "
                         "fora_de_estoque sem_estoque agotad* sin_existencias no_disponible no_hay_stock"},
    {TOPIC_RETURN, "return_it return_the returning returned send_back sent_back exchange* replacement* warranty guarantee rücksend* zurückschick* "
                   "zurückgeschickt* retoure* umtausch* garantie* gewährleistung* umgetauscht retourn* renvoy* échang* garanzia restitu* sostitu* cambio_merce "
                   "devolução devolver devolvi troca trocar garantia devolución devoluciones cambiar garantía"},
};

const size_t topic_list_count = sizeof topic_lists / sizeof *topic_lists;

const char *topic_name(enum topic topic)
{
    static const char *const names[TOPIC_COUNT] = {"delivery", "billing", "refund",  "cancellation", "damage",       "quality", "price",
                                                   "support",  "staff",   "waiting", "app",          "account", "availability", "return"};
    return names[topic];
}
